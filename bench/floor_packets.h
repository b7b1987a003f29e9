/* Part of floor.c: packets written, protected and sent, and the rooms at the other end. */

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

/* The rooms, off the clock. */

static int *sound_at, *picture_at;
static uint16_t *peer_sequences[2];

static int peer_send(int leg, uint8_t type, int kind, uint32_t timestamp, const Coded *from,
                     int unit) {
    uint8_t packet[SLOT_BYTES];
    int begin = unit ? from->ends[unit - 1] : 0;
    uint16_t sequence = peer_sequences[kind][leg]++;
    int length = write_packet(packet, load->peers[leg], type, sequence, timestamp,
                              1000 + 2 * leg + kind, from->data + begin, from->ends[unit] - begin);
    if (length < 0) return fail("a room's srtp_protect");
    if (sendto(rooms[leg], packet, length, 0, (struct sockaddr *)&to_server, sizeof to_server) < 0)
        return fail("a room's sendto");
    return 0;
}

static int peers_send(int step) {
    for (int leg = 0; leg < load->legs; leg++) {
        const Coded *sound = &load->sounds[leg];
        if (sound->units) {
            int unit = sound_at[leg]++ % sound->units;
            if (peer_send(leg, 111, 0, step * 960u, sound, unit)) return -1;
        }
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

/* Sockets: ours, and one of each room. */

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
