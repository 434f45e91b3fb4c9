"""Taking the sound of a video over into its drawn copy, unchanged where MP4 can hold it."""

from collections.abc import Iterator
from contextlib import ExitStack
from fractions import Fraction
from typing import TYPE_CHECKING

from emotion.errors import VideoError
from emotion.inference.videos.containers import load_av, opened, told
from emotion.inference.videos.frames import Video

if TYPE_CHECKING:
    from av import AudioFrame, AudioStream
    from av.container import OutputContainer
    from av.packet import Packet
    from av.stream import Stream

# Kinds of sound that players expect in an MP4; others are encoded anew.
COPIED = ("aac", "mp3", "ac3", "eac3", "opus", "flac", "alac")
GAP = 0.1  # seconds that may be missing in the sound before it is moved to its own time again


class Sound:
    """The sound of a source, written into a copy as its pictures advance.

    Args:
        video: the source; None for a copy without sound.
        output: the copy, whose head is not yet written.

    Attributes:
        note: what became of the sound, where it was not copied unchanged; None else.
    """

    def __init__(self, video: Video | None, output: "OutputContainer") -> None:
        self.note: str | None = None
        self._output, self._start = output, video.start if video else 0.0
        self._stack = ExitStack()
        self._packets: Iterator[Packet[AudioStream]] = iter(())
        self._waiting: Packet[AudioStream] | None = None
        self._encoder: _Encoder | None = None
        if video is None or video.path is None or not video.has_sound:
            return
        av = load_av()
        try:
            self._begin(video)
        except (av.FFmpegError, VideoError, ValueError) as error:
            self._give_up(error)

    def _begin(self, video: Video) -> None:
        assert video.path is not None
        container = self._stack.enter_context(opened(video.path))
        stream = container.streams.audio[0]
        if stream.codec_context is None:
            raise VideoError(video.source, "sound of an unknown kind")
        name = stream.codec_context.codec.canonical_name
        if name in COPIED:
            self._target = self._output.add_stream_from_template(stream)
        else:
            self._encoder = _Encoder(stream, self._output)
            self.note = f"the sound was encoded anew: {name} has become AAC"
        self._packets = container.demux(stream)

    def write_until(self, time: float | None) -> None:
        """Writes the sound up to a time of the video in seconds; None for all that is left."""
        av = load_av()
        try:
            for packet in self._until(time):
                if self._encoder is not None:
                    self._output.mux(self._encoder.encode(packet, self._start))
                elif packet.dts is not None:
                    self._shift(packet)
                    packet.stream = self._target
                    self._output.mux(packet)
            if time is None and self._encoder is not None:
                self._output.mux(self._encoder.finish())
        except (av.error.InvalidDataError, av.error.EOFError, VideoError) as error:
            self._give_up(error)

    def close(self) -> None:
        """Closes the source."""
        self._packets = iter(())
        self._stack.close()

    def _until(self, time: float | None) -> "Iterator[Packet[AudioStream]]":
        while True:
            packet = self._waiting or next(self._packets, None)
            self._waiting = packet
            if packet is None:
                return
            if time is not None and packet.dts is not None:
                begins = float(packet.dts * packet.time_base) - self._start
                if begins > time:
                    return
            self._waiting = None
            yield packet

    def _shift(self, packet: "Packet[AudioStream]") -> None:
        """Moves a packet to the copy's clock, which begins with the first picture."""
        shift = round(self._start / packet.time_base)
        packet.dts = None if packet.dts is None else packet.dts - shift
        packet.pts = None if packet.pts is None else packet.pts - shift

    def _give_up(self, error: Exception) -> None:
        self.note = f"the sound is incomplete or missing: {told(error)}"
        self._packets, self._waiting, self._encoder = iter(()), None, None


class _Encoder:
    """Decodes sound and encodes it as AAC."""

    def __init__(self, stream: "AudioStream", output: "OutputContainer") -> None:
        av = load_av()
        layout = "mono" if stream.layout.nb_channels == 1 else "stereo"
        self._rate = stream.rate
        self._target = output.add_stream("aac", rate=self._rate, layout=layout)
        frame = self._target.codec_context.frame_size or 1024  # known once it is opened
        self._resampler = av.AudioResampler("fltp", layout, self._rate, frame_size=frame)
        self._next: int | None = None  # sample at which the next frame begins
        self._held = 0  # samples that the resampler holds back

    def encode(self, packet: "Packet[AudioStream]", start: float) -> "list[Packet[Stream]]":
        """Gives the encoded packets that are ready."""
        av = load_av()
        try:
            frames = packet.decode()
        except av.FFmpegError:  # a broken moment of sound is left out
            return []
        done = []
        for frame in frames:
            if frame.time is not None:
                self._move(round((frame.time - start) * self._rate))
            self._held += frame.samples
            done += self._encode(self._resampler.resample(frame))
        return done

    def finish(self) -> "list[Packet[Stream]]":
        """Gives what the encoder still holds back."""
        return [*self._encode(self._resampler.resample(None)), *self._target.encode(None)]

    def _move(self, begin: int) -> None:
        """Leaves a gap where the source has one."""
        if self._next is None or begin - self._next - self._held > GAP * self._rate:
            self._next = begin - self._held

    def _encode(self, frames: "list[AudioFrame]") -> "list[Packet[Stream]]":
        done: list[Packet[Stream]] = []
        for frame in frames:
            frame.pts, frame.time_base = self._next or 0, Fraction(1, self._rate)
            self._next = frame.pts + frame.samples
            self._held -= frame.samples
            done += self._target.encode(frame)
        return done
