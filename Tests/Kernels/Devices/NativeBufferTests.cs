using Quilt.Kernels.Devices;

namespace Quilt.Tests.Kernels.Devices;

public sealed unsafe class NativeBufferTests
{
    [Test]
    public void Is_aligned_to_cache_lines_and_zeroed_when_asked([Values(0, 1, 63, 64, 100_000)] int bytes)
    {
        using var buffer = new NativeBuffer(bytes, zeroed: true);

        Assert.That((long)buffer.Data % 64, Is.Zero);
        Assert.That(buffer.Span<byte>(0, bytes).ToArray(), Is.All.Zero);
    }

    [Test]
    public void Refuses_a_span_beyond_its_end_or_after_its_end()
    {
        var buffer = new NativeBuffer(64);

        Assert.That(() => buffer.Span<float>(15, 2).Length, Throws.InstanceOf<ArgumentOutOfRangeException>());
        buffer.Dispose();
        Assert.That(() => buffer.Span<float>(0, 1).Length, Throws.InstanceOf<ObjectDisposedException>());
        Assert.That(buffer.Dispose, Throws.Nothing, "a second time is harmless");
    }
}
