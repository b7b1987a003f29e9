// The page side of tests/peers/chromium_room.py. One global, `room`.
(() => {
  const once = (target, event) =>
    new Promise((resolve) => target.addEventListener(event, resolve, { once: true }));

  class Room {
    async join({ path, token, codec, sends, receives, kinds }) {
      this.token = token;
      this.pc = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
      this.video = document.createElement("video");
      this.video.muted = true;
      this.video.autoplay = true;
      document.body.append(this.video);
      this.stream = new MediaStream();
      this.video.srcObject = this.stream;
      this.pc.addEventListener("track", ({ track }) => {
        this.stream.addTrack(track);
        if (track.kind === "audio") this.listen(track);
        this.video.play().catch(() => {});
      });
      if (sends) {
        const wanted = {
          audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false },
          video: { width: 640, height: 360, frameRate: 15 },
        };
        this.local = await navigator.mediaDevices.getUserMedia(
          Object.fromEntries(kinds.map((kind) => [kind, wanted[kind]])));
      }
      for (const kind of ["audio", "video"]) {
        const track = this.local?.getTracks().find((one) => one.kind === kind);
        if (track) {
          const direction = receives ? "sendrecv" : "sendonly";
          this.pc.addTransceiver(track, { direction, streams: [this.local] });
        } else if (receives) this.pc.addTransceiver(kind, { direction: "recvonly" });
      }
      for (const transceiver of this.pc.getTransceivers()) {
        if (transceiver.receiver.track.kind !== "video") continue;
        const all = RTCRtpReceiver.getCapabilities("video").codecs;
        const wanted = all.filter((c) => c.mimeType === codec || c.mimeType === "video/rtx");
        transceiver.setCodecPreferences(wanted);
      }
      await this.pc.setLocalDescription();
      const response = await fetch(path, {
        method: "POST",
        headers: { "Content-Type": "application/sdp", Authorization: `Bearer ${token}` },
        body: this.pc.localDescription.sdp,
      });
      const body = await response.text();
      if (response.status !== 201) throw new Error(`${response.status}: ${body}`);
      this.location = response.headers.get("Location");
      await this.pc.setRemoteDescription({ type: "answer", sdp: body });
      while (this.pc.connectionState !== "connected") {
        await once(this.pc, "connectionstatechange");
        if (this.pc.connectionState === "failed") throw new Error("connection failed");
      }
    }

    listen(track) {
      // A remote track reaches Web Audio only while a media element plays it.
      const element = document.createElement("audio");
      element.muted = true;
      element.srcObject = new MediaStream([track]);
      element.play().catch(() => {});
      this.audio = new AudioContext({ sampleRate: 48000 });
      this.analyser = this.audio.createAnalyser();
      this.analyser.fftSize = 32768;
      this.analyser.minDecibels = -160;
      this.analyser.smoothingTimeConstant = 0;
      this.audio.createMediaStreamSource(element.srcObject).connect(this.analyser);
    }

    toneLevels(tones) {
      if (!this.analyser) return tones.map(() => -160);
      const bins = new Float32Array(this.analyser.frequencyBinCount);
      this.analyser.getFloatFrequencyData(bins);
      const width = this.audio.sampleRate / this.analyser.fftSize;
      return tones.map((tone) => {
        const centre = Math.round(tone / width);
        return Math.max(-160, ...bins.slice(centre - 3, centre + 4));
      });
    }

    coloursAt(points) {
      const canvas = document.createElement("canvas");
      const { videoWidth: width, videoHeight: height } = this.video;
      if (!width) return points.map(() => [-1, -1, -1]);
      canvas.width = width;
      canvas.height = height;
      const context = canvas.getContext("2d", { willReadFrequently: true });
      context.drawImage(this.video, 0, 0);
      return points.map(([x, y]) => {
        const { data } = context.getImageData(
          Math.round(x * width) - 4, Math.round(y * height) - 4, 8, 8);
        const sum = [0, 0, 0];
        for (let i = 0; i < data.length; i += 4) {
          for (let c = 0; c < 3; c += 1) sum[c] += data[i + c];
        }
        return sum.map((value) => value / (data.length / 4));
      });
    }

    shows(expected) {
      const found = this.coloursAt(expected.map(([x, y]) => [x, y]));
      return expected.every(([, , ...rgb], index) =>
        rgb.every((value, c) => Math.abs(value - found[index][c]) <= 40));
    }

    async statistics() {
      const found = {};
      for (const report of (await this.pc.getStats()).values()) {
        if (report.type === "inbound-rtp") found[report.kind] = report;
        if (report.type === "outbound-rtp") found[`sent_${report.kind}`] = report;
        if (report.type === "transport") found.transport = report;
        if (report.type === "codec") found[`codec_${report.id}`] = report.mimeType;
      }
      return JSON.parse(JSON.stringify(found));
    }

    async leave() {
      await fetch(this.location, {
        method: "DELETE",
        headers: { Authorization: `Bearer ${this.token}` },
      });
      this.pc.close();
      for (const track of this.local?.getTracks() ?? []) track.stop();
      await this.audio?.close();
    }
  }
  window.room = new Room();
})();
