/* The least that the media work of a meeting costs: the same codecs, SRTP and socket calls, alone.
 *
 * Compiled and called by bench/floor.py, which hands in the addresses of the functions of the very
 * libraries the daemon uses (libsrtp, libopus, libavcodec, libswscale), so that both sides run the
 * same machine code. No headers of them are needed: of their structures only the leading members
 * declared here are touched, and make_codecs() checks that they are where they are expected.
 *
 * A step is 20 ms of the meeting. Before its clock starts, the rooms' datagrams of that step are
 * protected and sent (peers_send); after its clock stops, what the rooms were sent is read and
 * counted (peers_drain). In between, and on the clock of this thread (CLOCK_THREAD_CPUTIME_ID):
 *
 *   receive   recvmmsg of everything, SRTP opened, H.264 payloads put together
 *   audio     speakers decoded, summed, one packet encoded for all and one for each speaker
 *   video     every second step: pictures decoded and scaled to their place in the canvas as
 *             they come, the canvas encoded
 *   send      a header and the payload written and protected for each leg, sendmmsg with UDP GSO
 *
 * Steps follow each other without a pause. Nothing else is done: no timers, no reports, no
 * playout buffer, no labels in the picture, no choice of who is heard.
 */

#define _GNU_SOURCE
#include "floor_load.h"

#include "floor_packets.h"

#include "floor_codecs.h"

static int receive_all(void) {
    for (;;) {
        double began = clock_s(), decoding = 0;
        for (int i = 0; i < BATCH; i++) incoming_messages[i].msg_hdr.msg_namelen = sizeof names[i];
        int count = recvmmsg(server, incoming_messages, BATCH, MSG_DONTWAIT, NULL);
        if (count < 0) {
            result->receive_s += clock_s() - began;
            return errno == EAGAIN ? 0 : fail("recvmmsg");
        }
        for (int i = 0; i < count; i++) {
            int leg = leg_of_port[ntohs(names[i].sin6_port)];
            int length = incoming_messages[i].msg_len;
            if (leg < 0) return fail("a stranger's datagram");
            if (call.srtp_unprotect(load->inbound[leg], incoming[i], &length))
                return fail("srtp_unprotect");
            result->received++;
            if ((incoming[i][1] & 127) == 111) {
                if (leg < load->speakers) {
                    spoken_bytes[leg] = length - HEAD;
                    memcpy(spoken[leg], incoming[i] + HEAD, length - HEAD);
                }
            } else {
                if (take_payload(&sources[leg], incoming[i] + HEAD, length - HEAD)) return -1;
                if (incoming[i][1] & 0x80) {
                    double before = clock_s();
                    if (decode_and_scale(leg)) return -1;
                    decoding += clock_s() - before;
                }
            }
        }
        result->receive_s += clock_s() - began - decoding;
        result->video_decode_s += decoding;
    }
}

static void take_down(void) {
    for (int i = 0; i < load->senders; i++) {
        if (sources[i].context) call.avcodec_free_context(&sources[i].context);
        if (sources[i].scaler) call.sws_freeContext(sources[i].scaler);
        if (sources[i].packet) call.av_packet_free(&sources[i].packet);
        if (sources[i].frame) call.av_frame_free(&sources[i].frame);
        free(sources[i].unit);
    }
    if (encoder) call.avcodec_free_context(&encoder);
    if (canvas) call.av_frame_free(&canvas);
    if (coded) call.av_packet_free(&coded);
    for (int i = 0; i <= load->speakers; i++) {
        if (opus_encoders[i]) call.opus_encoder_destroy(opus_encoders[i]);
        if (i < load->speakers && opus_decoders[i]) call.opus_decoder_destroy(opus_decoders[i]);
    }
    for (int leg = 0; leg < load->legs; leg++)
        if (rooms[leg] > 0) close(rooms[leg]);
    if (server >= 0) close(server);
    server = -1;
    used = message_count = pictures = 0;
    for (int kind = 0; kind < 2; kind++) { free(sequences[kind]); free(peer_sequences[kind]); }
    free(sources); free(rooms); free(addresses); free(opus_encoders); free(opus_decoders);
    free(spoken); free(spoken_bytes); free(sound_at); free(picture_at);
}

/* Run one load. 0, or -1 with result->error. Not for two threads at once. */
int floor_run(const Load *given, Result *out) {
    load = given;
    result = out;
    memset(out, 0, sizeof *out);
    memcpy(&call, given->functions, sizeof call);
    if (given->speakers > MAX_SPEAKERS || given->senders > given->columns * given->columns) {
        return fail("more speakers or senders than there is room for");
    }
    int legs = given->legs;
    sources = calloc(given->senders + 1, sizeof *sources);
    rooms = calloc(legs, sizeof *rooms);
    addresses = calloc(legs, sizeof *addresses);
    opus_encoders = calloc(given->speakers + 1, sizeof *opus_encoders);
    opus_decoders = calloc(given->speakers + 1, sizeof *opus_decoders);
    spoken = calloc(given->speakers + 1, sizeof *spoken);
    spoken_bytes = calloc(given->speakers + 1, sizeof *spoken_bytes);
    sound_at = calloc(legs, sizeof *sound_at);
    picture_at = calloc(legs, sizeof *picture_at);
    for (int kind = 0; kind < 2; kind++) {
        sequences[kind] = calloc(legs, sizeof **sequences);
        peer_sequences[kind] = calloc(legs, sizeof **peer_sequences);
    }
    int status = make_sockets() || make_codecs() ? -1 : 0;
    for (int step = 0; !status && step < given->warm_up_steps + given->steps; step++) {
        if (step == given->warm_up_steps) memset(out, 0, sizeof *out);
        status = peers_send(step) || receive_all() || mix_and_send(step * 960u) ||
                 (given->senders && step % 2 == 0 && encode_and_send()) || peers_drain();
    }
    take_down();
    return status ? -1 : 0;
}
