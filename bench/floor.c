/* The least that the media work of a meeting costs: the same codecs, SRTP and socket calls, alone.
 *
 * Compiled and called by bench/floor.py, which hands in the addresses of the functions of the very
 * libraries the daemon uses (libsrtp, libopus, libavcodec, libswscale), so that both sides run the
 * same machine code. No headers of them are needed: of their structures only the leading members
 * declared here are touched, and setup() checks that they are where they are expected.
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
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

/* Of libavutil and libavcodec: leading members only. */
typedef struct {
    uint8_t *data[8];
    int linesize[8];
    uint8_t **extended_data;
    int width, height, nb_samples, format;
    int pict_type_or_key_frame;
    int sample_aspect_ratio[2];
    int64_t pts; /* after key_frame, where there is one, or after padding: the same place */
} Frame;

typedef struct {
    void *buf;
    int64_t pts, dts;
    uint8_t *data;
    int size;
} Packet;

#define NO_PTS ((int64_t)0x8000000000000000ULL)
#define YUV420P 0
#define SWS_BILINEAR 2

/* Functions by name, in the order of FUNCTIONS; bench/floor.py fills the table. */
static struct {
    int (*srtp_protect)(void *, void *, int *);
    int (*srtp_unprotect)(void *, void *, int *);
    void *(*opus_encoder_create)(int32_t, int, int, int *);
    int (*opus_encoder_ctl)(void *, int, ...);
    int (*opus_encode)(void *, const int16_t *, int, unsigned char *, int32_t);
    void (*opus_encoder_destroy)(void *);
    void *(*opus_decoder_create)(int32_t, int, int *);
    int (*opus_decode)(void *, const unsigned char *, int32_t, int16_t *, int, int);
    void (*opus_decoder_destroy)(void *);
    void *(*avcodec_find_decoder_by_name)(const char *);
    void *(*avcodec_find_encoder_by_name)(const char *);
    void *(*avcodec_alloc_context3)(void *);
    int (*avcodec_open2)(void *, void *, void **);
    void (*avcodec_free_context)(void **);
    int (*avcodec_send_packet)(void *, Packet *);
    int (*avcodec_receive_frame)(void *, Frame *);
    int (*avcodec_send_frame)(void *, Frame *);
    int (*avcodec_receive_packet)(void *, Packet *);
    Packet *(*av_packet_alloc)(void);
    void (*av_packet_unref)(Packet *);
    void (*av_packet_free)(Packet **);
    int (*av_new_packet)(Packet *, int);
    Frame *(*av_frame_alloc)(void);
    int (*av_frame_get_buffer)(Frame *, int);
    void (*av_frame_unref)(Frame *);
    void (*av_frame_free)(Frame **);
    int (*av_dict_set)(void **, const char *, const char *, int);
    void (*av_dict_free)(void **);
    void *(*sws_getContext)(int, int, int, int, int, int, int, void *, void *, void *);
    int (*sws_scale)(void *, const uint8_t *const *, const int *, int, int, uint8_t *const *,
                     const int *);
    void (*sws_freeContext)(void *);
} call;

const char *const FUNCTIONS[] = {
    "srtp_protect", "srtp_unprotect", "opus_encoder_create", "opus_encoder_ctl", "opus_encode",
    "opus_encoder_destroy", "opus_decoder_create", "opus_decode", "opus_decoder_destroy",
    "avcodec_find_decoder_by_name", "avcodec_find_encoder_by_name", "avcodec_alloc_context3",
    "avcodec_open2", "avcodec_free_context", "avcodec_send_packet", "avcodec_receive_frame",
    "avcodec_send_frame", "avcodec_receive_packet", "av_packet_alloc", "av_packet_unref",
    "av_packet_free", "av_new_packet", "av_frame_alloc", "av_frame_get_buffer", "av_frame_unref",
    "av_frame_free", "av_dict_set", "av_dict_free", "sws_getContext", "sws_scale",
    "sws_freeContext", NULL,
};

/* One coded loop: the bytes of unit i are data[ends[i - 1]] to data[ends[i]]. For pictures a unit
 * is an RTP payload, and last[i] tells that it ends its picture. */
typedef struct {
    const uint8_t *data;
    const int32_t *ends;
    const uint8_t *last;
    int32_t units;
} Coded;

typedef struct {
    int32_t legs, speakers, senders, steps, warm_up_steps;
    int32_t source_width, source_height, width, height, columns;
    int32_t payload_bytes; /* longest RTP payload */
    int32_t opus_application, opus_settings; /* pairs of request and value */
    const int32_t *opus_controls;
    const char *const *encoder_options; /* name, value, ..., NULL */
    const char *const *decoder_options;
    void *const *outbound; /* srtp_t of each leg: what we protect with */
    void *const *inbound;  /* what we open with */
    void *const *peers;    /* what the rooms protect with */
    const Coded *sounds;   /* of each leg; no units: it sends none */
    const Coded *pictures; /* of each sender */
    const uint8_t *extension; /* header extension of 12 bytes, on each packet both ways */
    void *const *functions;
} Load;

typedef struct {
    double receive_s, audio_s, video_decode_s, video_encode_s, send_s;
    int64_t received, sent_audio, sent_video, sent_bytes, delivered, decoded, encoded;
    char error[200];
} Result;

#define SLOTS 128
#define SLOT_BYTES 2304
#define HEAD 24 /* 12 of RTP (RFC 3550 5.1) and 12 of extension */
#define BATCH 64
#define SAMPLES 960
#define MAX_UNIT (1 << 20)
#define MAX_PAYLOADS 512
#define MAX_SPEAKERS 16

static const Load *load;
static Result *result;
static int server = -1, *rooms;
static struct sockaddr_in6 *addresses, to_server;
static int leg_of_port[65536];
static uint8_t slots[SLOTS][SLOT_BYTES];
static uint8_t incoming[BATCH][SLOT_BYTES];
static struct iovec slot_vectors[SLOTS], incoming_vectors[BATCH];
static struct mmsghdr messages[SLOTS], incoming_messages[BATCH];
static struct sockaddr_in6 names[BATCH];
static union { char bytes[CMSG_SPACE(sizeof(uint16_t))]; struct cmsghdr align; } controls[SLOTS];
static int used, message_count;

static int fail(const char *what) {
    if (!result->error[0])
        snprintf(result->error, sizeof result->error, "%s (errno %d)", what, errno);
    return -1;
}

static double clock_s(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec + now.tv_nsec * 1e-9;
}

static void put16(uint8_t *at, unsigned value) { at[0] = value >> 8; at[1] = value; }
static void put32(uint8_t *at, uint32_t value) { put16(at, value >> 16); put16(at + 2, value); }

/* Header, payload, protection; gives the datagram's length or -1. */
static int write_packet(uint8_t *out, void *session, uint8_t marked_type, unsigned sequence,
                        uint32_t timestamp, uint32_t ssrc, const uint8_t *payload, int size) {
    int length = HEAD + size;
    out[0] = 0x90;
    out[1] = marked_type;
    put16(out + 2, sequence);
    put32(out + 4, timestamp);
    put32(out + 8, ssrc);
    memcpy(out + 12, load->extension, 12);
    memcpy(out + HEAD, payload, size);
    return call.srtp_protect(session, out, &length) ? -1 : length;
}

/* Sending: slots are filled and committed, and leave together. */

static int flush(void) {
    int done = 0;
    while (done < message_count) {
        int sent = sendmmsg(server, messages + done, message_count - done, MSG_DONTWAIT);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0) return fail("sendmmsg");
        done += sent;
    }
    used = message_count = 0;
    return 0;
}

/* The slots from used to end go to a leg: runs of equal size as one message the kernel cuts. */
static void commit(int leg, int end) {
    while (used < end) {
        size_t size = slot_vectors[used].iov_len;
        int stop = used + 1;
        int most = used + (int)(65000 / size) < used + 64 ? used + (int)(65000 / size) : used + 64;
        if (most > end) most = end;
        while (stop < most && slot_vectors[stop].iov_len == size) stop++;
        if (stop < most && slot_vectors[stop].iov_len < size) stop++;
        struct msghdr *head = &messages[message_count].msg_hdr;
        memset(head, 0, sizeof *head);
        head->msg_name = &addresses[leg];
        head->msg_namelen = sizeof addresses[leg];
        head->msg_iov = &slot_vectors[used];
        head->msg_iovlen = stop - used;
        if (stop - used > 1) {
            head->msg_control = controls[message_count].bytes;
            head->msg_controllen = sizeof controls[message_count].bytes;
            struct cmsghdr *control = CMSG_FIRSTHDR(head);
            control->cmsg_level = IPPROTO_UDP;
            control->cmsg_type = UDP_SEGMENT;
            control->cmsg_len = CMSG_LEN(sizeof(uint16_t));
            *(uint16_t *)CMSG_DATA(control) = size;
        }
        message_count++;
        used = stop;
    }
}

static uint16_t *sequences[2];

/* All payloads of one picture or sound to one leg. */
static int send_to(int leg, int kind, uint32_t timestamp, const uint8_t *const *payloads,
                   const int *sizes, int count) {
    int slot = used;
    for (int i = 0; i < count; i++) {
        if (slot == SLOTS) {
            commit(leg, slot);
            if (flush()) return -1;
            slot = 0;
        }
        uint8_t type = kind ? 102 | (i == count - 1 ? 0x80 : 0) : 111;
        int length = write_packet(slots[slot], load->outbound[leg], type, sequences[kind][leg]++,
                                  timestamp, 2 * leg + kind + 1, payloads[i], sizes[i]);
        if (length < 0) return fail("srtp_protect");
        slot_vectors[slot++].iov_len = length;
        result->sent_bytes += length;
    }
    commit(leg, slot);
    if (kind) result->sent_video += count; else result->sent_audio += count;
    return used > SLOTS - 16 ? flush() : 0;
}

/* Pictures: RTP payloads of H.264 (RFC 6184) to access units and back. */

typedef struct {
    void *context, *scaler;
    uint8_t *unit;
    int size;
    Packet *packet;
    Frame *frame;
} Source;

static Source *sources;
static void *encoder;
static Frame *canvas;
static Packet *coded;
static int pictures;

static void start_nal(Source *source) {
    static const uint8_t code[4] = {0, 0, 0, 1};
    memcpy(source->unit + source->size, code, 4);
    source->size += 4;
}

static int take_payload(Source *source, const uint8_t *payload, int size) {
    if (source->size + size + 64 > MAX_UNIT) return fail("access unit too long");
    int type = payload[0] & 31;
    if (type == 24) { /* STAP-A */
        for (int at = 1; at + 2 < size;) {
            int length = payload[at] << 8 | payload[at + 1];
            if (at + 2 + length > size) return fail("STAP-A");
            start_nal(source);
            memcpy(source->unit + source->size, payload + at + 2, length);
            source->size += length;
            at += 2 + length;
        }
        return 0;
    }
    if (type == 28) { /* FU-A */
        if (payload[1] & 0x80) {
            start_nal(source);
            source->unit[source->size++] = (payload[0] & 0xE0) | (payload[1] & 31);
        }
        payload += 2;
        size -= 2;
    } else {
        start_nal(source);
    }
    memcpy(source->unit + source->size, payload, size);
    source->size += size;
    return 0;
}

static int decode_and_scale(int number) {
    Source *source = &sources[number];
    if (call.av_new_packet(source->packet, source->size)) return fail("av_new_packet");
    memcpy(source->packet->data, source->unit, source->size);
    source->size = 0;
    int status = call.avcodec_send_packet(source->context, source->packet);
    call.av_packet_unref(source->packet);
    if (status) return fail("H.264 decoder");
    while (call.avcodec_receive_frame(source->context, source->frame) == 0) {
        int width = load->width / load->columns, height = load->height / load->columns;
        int x = number % load->columns * width, y = number / load->columns * height;
        uint8_t *planes[4] = {
            canvas->data[0] + y * canvas->linesize[0] + x,
            canvas->data[1] + y / 2 * canvas->linesize[1] + x / 2,
            canvas->data[2] + y / 2 * canvas->linesize[2] + x / 2, NULL};
        call.sws_scale(source->scaler, (const uint8_t *const *)source->frame->data,
                       source->frame->linesize, 0, load->source_height, planes, canvas->linesize);
        call.av_frame_unref(source->frame);
        result->decoded++;
    }
    return 0;
}

static uint8_t pieces[MAX_PAYLOADS][SLOT_BYTES];

/* Cut an Annex B access unit into payloads: NAL units as they are, long ones into FU-As. */
static int packetise(const uint8_t *data, int size, const uint8_t **payloads, int *sizes, int most) {
    int count = 0, at = 0;
    while (at + 4 < size) {
        int begin = at + (data[at + 2] == 1 ? 3 : 4), end = begin;
        while (end + 3 < size && !(data[end] == 0 && data[end + 1] == 0 &&
                                   (data[end + 2] == 1 || (data[end + 2] == 0 && data[end + 3] == 1))))
            end++;
        if (end + 3 >= size) end = size;
        if (end - begin <= load->payload_bytes) {
            if (count == most) return fail("too many payloads");
            payloads[count] = data + begin;
            sizes[count++] = end - begin;
        } else {
            uint8_t head = data[begin];
            int first = begin + 1, step = load->payload_bytes - 2;
            for (int from = first; from < end; from += step) {
                int length = end - from < step ? end - from : step;
                if (count == most) return fail("too many payloads");
                uint8_t *piece = pieces[count];
                piece[0] = (head & 0xE0) | 28;
                piece[1] = (head & 31) | (from == first ? 0x80 : 0) | (from + length == end ? 0x40 : 0);
                memcpy(piece + 2, data + from, length);
                payloads[count] = piece;
                sizes[count++] = length + 2;
            }
        }
        at = end;
    }
    return count;
}

static int encode_and_send(void) {
    const uint8_t *payloads[MAX_PAYLOADS];
    int sizes[MAX_PAYLOADS];
    canvas->pts = pictures;
    double began = clock_s();
    if (call.avcodec_send_frame(encoder, canvas)) return fail("x264");
    if (call.avcodec_receive_packet(encoder, coded)) return fail("x264 gave nothing");
    double ended = clock_s();
    result->video_encode_s += ended - began;
    int count = packetise(coded->data, coded->size, payloads, sizes, MAX_PAYLOADS);
    if (count < 0) return -1;
    for (int leg = 0; leg < load->legs; leg++)
        if (send_to(leg, 1, pictures * 3600u, payloads, sizes, count)) return -1;
    if (flush()) return -1;
    result->send_s += clock_s() - ended;
    call.av_packet_unref(coded);
    pictures++;
    result->encoded++;
    return 0;
}

/* Sound. */

static void **opus_decoders, **opus_encoders;
static uint8_t (*spoken)[1500];
static int *spoken_bytes;

static int mix_and_send(uint32_t timestamp) {
    int16_t blocks[MAX_SPEAKERS][SAMPLES];
    int32_t total[SAMPLES] = {0};
    uint8_t coded_sound[MAX_SPEAKERS + 1][1500];
    int sizes[MAX_SPEAKERS + 1];
    double began = clock_s();
    for (int i = 0; i < load->speakers; i++) {
        if (call.opus_decode(opus_decoders[i], spoken[i], spoken_bytes[i], blocks[i], SAMPLES, 0) !=
            SAMPLES)
            return fail("opus_decode");
        for (int n = 0; n < SAMPLES; n++) total[n] += blocks[i][n];
    }
    for (int i = 0; i <= load->speakers; i++) {
        int16_t mix[SAMPLES];
        for (int n = 0; n < SAMPLES; n++) {
            int32_t value = total[n] - (i < load->speakers ? blocks[i][n] : 0);
            mix[n] = value > 32767 ? 32767 : value < -32768 ? -32768 : value;
        }
        sizes[i] = call.opus_encode(opus_encoders[i], mix, SAMPLES, coded_sound[i], 1275);
        if (sizes[i] < 0) return fail("opus_encode");
    }
    double ended = clock_s();
    result->audio_s += ended - began;
    for (int leg = 0; leg < load->legs; leg++) {
        int which = leg < load->speakers ? leg : load->speakers;
        const uint8_t *payload = coded_sound[which];
        if (send_to(leg, 0, timestamp, &payload, &sizes[which], 1)) return -1;
    }
    if (flush()) return -1;
    result->send_s += clock_s() - ended;
    return 0;
}

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

/* The rooms, off the clock. */

static int *sound_at, *picture_at;
static uint16_t *peer_sequences[2];

static int peer_send(int leg, uint8_t type, int kind, uint32_t timestamp, const Coded *from, int unit) {
    uint8_t packet[SLOT_BYTES];
    int begin = unit ? from->ends[unit - 1] : 0;
    int length = write_packet(packet, load->peers[leg], type, peer_sequences[kind][leg]++, timestamp,
                              1000 + 2 * leg + kind, from->data + begin, from->ends[unit] - begin);
    if (length < 0) return fail("a room's srtp_protect");
    if (sendto(rooms[leg], packet, length, 0, (struct sockaddr *)&to_server, sizeof to_server) < 0)
        return fail("a room's sendto");
    return 0;
}

static int peers_send(int step) {
    for (int leg = 0; leg < load->legs; leg++) {
        const Coded *sound = &load->sounds[leg];
        if (sound->units && peer_send(leg, 111, 0, step * 960u, sound, sound_at[leg]++ % sound->units))
            return -1;
        if (step % 2 || leg >= load->senders) continue;
        const Coded *loop = &load->pictures[leg];
        for (int last = 0; !last;) {
            int unit = picture_at[leg]++ % loop->units;
            last = loop->last[unit];
            if (peer_send(leg, 102 | (last ? 0x80 : 0), 1, step * 1800u, loop, unit)) return -1;
        }
    }
    return 0;
}

static int peers_drain(void) {
    static uint8_t bytes[BATCH][64];
    struct iovec vectors[BATCH];
    struct mmsghdr waiting[BATCH];
    memset(waiting, 0, sizeof waiting);
    for (int i = 0; i < BATCH; i++) {
        vectors[i] = (struct iovec){bytes[i], sizeof bytes[i]};
        waiting[i].msg_hdr.msg_iov = &vectors[i];
        waiting[i].msg_hdr.msg_iovlen = 1;
    }
    for (int leg = 0; leg < load->legs; leg++) {
        int count;
        while ((count = recvmmsg(rooms[leg], waiting, BATCH, MSG_DONTWAIT, NULL)) > 0)
            result->delivered += count;
        if (errno != EAGAIN) return fail("a room's recvmmsg");
    }
    return 0;
}

/* Setting up and taking down. */

static void *options(const char *const *pairs) {
    void *dictionary = NULL;
    for (; *pairs; pairs += 2) call.av_dict_set(&dictionary, pairs[0], pairs[1], 0);
    return dictionary;
}

static void *open_codec(void *codec, const char *const *pairs) {
    void *context = codec ? call.avcodec_alloc_context3(codec) : NULL;
    void *dictionary = options(pairs);
    int status = context ? call.avcodec_open2(context, codec, &dictionary) : -1;
    call.av_dict_free(&dictionary);
    return status ? NULL : context;
}

static int make_sockets(void) {
    int off = 0, size = 8 << 20;
    struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_addr = in6addr_any};
    socklen_t length = sizeof any;
    server = socket(AF_INET6, SOCK_DGRAM, 0);
    setsockopt(server, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    setsockopt(server, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    if (setsockopt(server, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size)) errno = 0;
    if (bind(server, (struct sockaddr *)&any, sizeof any)) return fail("bind");
    getsockname(server, (struct sockaddr *)&any, &length);
    to_server = any;
    inet_pton(AF_INET6, "::ffff:127.0.0.1", &to_server.sin6_addr);
    for (int i = 0; i < 65536; i++) leg_of_port[i] = -1;
    for (int leg = 0; leg < load->legs; leg++) {
        struct sockaddr_in6 room = {.sin6_family = AF_INET6};
        inet_pton(AF_INET6, "::ffff:127.0.0.1", &room.sin6_addr);
        rooms[leg] = socket(AF_INET6, SOCK_DGRAM, 0);
        if (rooms[leg] < 0) return fail("socket");
        setsockopt(rooms[leg], IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
        setsockopt(rooms[leg], SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
        if (bind(rooms[leg], (struct sockaddr *)&room, sizeof room)) return fail("a room's bind");
        length = sizeof addresses[leg];
        getsockname(rooms[leg], (struct sockaddr *)&addresses[leg], &length);
        leg_of_port[ntohs(addresses[leg].sin6_port)] = leg;
    }
    for (int i = 0; i < SLOTS; i++) slot_vectors[i] = (struct iovec){slots[i], 0};
    memset(incoming_messages, 0, sizeof incoming_messages);
    for (int i = 0; i < BATCH; i++) {
        incoming_vectors[i] = (struct iovec){incoming[i], SLOT_BYTES};
        incoming_messages[i].msg_hdr.msg_iov = &incoming_vectors[i];
        incoming_messages[i].msg_hdr.msg_iovlen = 1;
        incoming_messages[i].msg_hdr.msg_name = &names[i];
    }
    return 0;
}

static int make_codecs(void) {
    for (int i = 0; i < load->senders; i++) {
        Source *source = &sources[i];
        source->context = open_codec(call.avcodec_find_decoder_by_name("h264"), load->decoder_options);
        source->scaler = call.sws_getContext(
            load->source_width, load->source_height, YUV420P, load->width / load->columns,
            load->height / load->columns, YUV420P, SWS_BILINEAR, NULL, NULL, NULL);
        source->unit = malloc(MAX_UNIT);
        source->packet = call.av_packet_alloc();
        source->frame = call.av_frame_alloc();
        if (!source->context || !source->scaler || !source->unit) return fail("H.264 decoder or scaler");
    }
    canvas = call.av_frame_alloc();
    if (canvas->pts != NO_PTS || canvas->format != -1) return fail("another layout of AVFrame");
    canvas->width = load->width;
    canvas->height = load->height;
    canvas->format = YUV420P;
    if (call.av_frame_get_buffer(canvas, 0)) return fail("av_frame_get_buffer");
    for (int i = 0; i < 3; i++)
        memset(canvas->data[i], i ? 128 : 16, canvas->linesize[i] * (i ? load->height / 2 : load->height));
    coded = call.av_packet_alloc();
    encoder = open_codec(call.avcodec_find_encoder_by_name("libx264"), load->encoder_options);
    if (load->senders && !encoder) return fail("x264 could not be opened");
    for (int i = 0; i <= load->speakers; i++) {
        int status = 0;
        opus_encoders[i] = call.opus_encoder_create(48000, 1, load->opus_application, &status);
        if (status) return fail("opus_encoder_create");
        for (int pair = 0; pair < load->opus_settings; pair++)
            if (call.opus_encoder_ctl(opus_encoders[i], load->opus_controls[2 * pair],
                                      load->opus_controls[2 * pair + 1]))
                return fail("opus_encoder_ctl");
        if (i < load->speakers) opus_decoders[i] = call.opus_decoder_create(48000, 1, &status);
        if (status) return fail("opus_decoder_create");
    }
    return 0;
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
