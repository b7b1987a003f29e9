/* Part of floor.c: what it is given, what it gives, and the functions it calls. */

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
