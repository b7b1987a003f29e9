/* Part of floor.c: pictures and sound. */

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

static int is_start_code(const uint8_t *at) {
    return at[0] == 0 && at[1] == 0 && (at[2] == 1 || (at[2] == 0 && at[3] == 1));
}

/* Cut an Annex B access unit into payloads: NAL units as they are, long ones into FU-As. */
static int packetise(const uint8_t *data, int size, const uint8_t **payloads, int *sizes,
                     int most) {
    int count = 0, at = 0;
    while (at + 4 < size) {
        int begin = at + (data[at + 2] == 1 ? 3 : 4), end = begin;
        while (end + 3 < size && !is_start_code(data + end)) end++;
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
                int edges = (from == first ? 0x80 : 0) | (from + length == end ? 0x40 : 0);
                piece[1] = (head & 31) | edges;
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

/* Setting up. */

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

static int make_codecs(void) {
    for (int i = 0; i < load->senders; i++) {
        Source *source = &sources[i];
        source->context =
            open_codec(call.avcodec_find_decoder_by_name("h264"), load->decoder_options);
        source->scaler = call.sws_getContext(
            load->source_width, load->source_height, YUV420P, load->width / load->columns,
            load->height / load->columns, YUV420P, SWS_BILINEAR, NULL, NULL, NULL);
        source->unit = malloc(MAX_UNIT);
        source->packet = call.av_packet_alloc();
        source->frame = call.av_frame_alloc();
        if (!source->context || !source->scaler || !source->unit)
            return fail("H.264 decoder or scaler");
    }
    canvas = call.av_frame_alloc();
    if (canvas->pts != NO_PTS || canvas->format != -1) return fail("another layout of AVFrame");
    canvas->width = load->width;
    canvas->height = load->height;
    canvas->format = YUV420P;
    if (call.av_frame_get_buffer(canvas, 0)) return fail("av_frame_get_buffer");
    for (int i = 0; i < 3; i++)
        memset(canvas->data[i], i ? 128 : 16, canvas->linesize[i] * (load->height >> (i > 0)));
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
