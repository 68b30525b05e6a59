using System.Runtime.InteropServices;
using Quilt.Kernels.Devices;

namespace Quilt.Tests.Kernels;

/// <summary>A device of one target and a stream on it, for the tests of one operation.</summary>
public abstract class OpTests(Target target)
{
    private OpStream? ops;
    private Device? device;
    private Device? other;

    /// <summary>What the tests run on.</summary>
    internal Target Target { get; } = target;

    internal OpStream Ops => ops!;

    /// <summary>The same target on one thread: nothing may differ from <see cref="Ops"/> by a bit.</summary>
    internal OpStream Alone { get; private set; } = null!;

    [OneTimeSetUp]
    public void Open()
    {
        ops = new OpStream(device = Target.Open(threads: 3));
        Alone = new OpStream(other = Target.Open(threads: 1));
    }

    [OneTimeTearDown]
    public void Close()
    {
        ops?.Dispose();
        Alone?.Dispose();
        if (Target.IsGpu) return;
        device?.Dispose();
        other?.Dispose();
    }

    [SetUp]
    public void Reset()
    {
        Ops.Reset();
        Alone.Reset();
    }

    /// <summary>A host matrix where the target's operations take it.</summary>
    internal Matrix On(Matrix x) => Ops.ToDevice(x);

    /// <summary>A matrix where the host can read it.</summary>
    internal Matrix Back(Matrix x) => Ops.ToHost(x);

    /// <summary>Skips what a GPU's stand-in would need minutes for, or what only a processor has.</summary>
    internal void NotOnGpu(string why)
    {
        if (Target.IsGpu) Assert.Ignore(why);
    }

    /// <summary>Skips on the stand-ins, whose launches allocate.</summary>
    internal void NeedsSilentLaunches()
    {
        if (!Target.LaunchesWithoutAllocating) Assert.Ignore("A stand-in's launch allocates.");
    }

    /// <summary>A matrix of numbers between −scale and scale, in the host's memory.</summary>
    internal Matrix Random(int rows, int columns, int seed, float scale = 1)
    {
        var matrix = Ops.HostScratch(rows, columns);
        Fill(matrix.Values, seed, scale);
        return matrix;
    }

    /// <summary>A host matrix of the same numbers.</summary>
    internal Matrix Copy(Matrix x)
    {
        var matrix = Ops.HostScratch(x.Rows, x.Columns);
        x.Values.CopyTo(matrix.Values);
        return matrix;
    }

    internal Matrix Of(int columns, params float[] values)
    {
        var matrix = Ops.HostScratch(values.Length / columns, columns);
        values.CopyTo(matrix.Values);
        return matrix;
    }

    internal static NativeBuffer Buffer(params float[] values)
    {
        var buffer = new NativeBuffer(values.Length * sizeof(float));
        values.CopyTo(buffer.Span<float>(0, values.Length));
        return buffer;
    }

    internal static NativeBuffer RandomBuffer(int count, int seed)
    {
        var buffer = new NativeBuffer(count * sizeof(float));
        Fill(buffer.Span<float>(0, count), seed, 1);
        return buffer;
    }

    internal static void Fill(Span<float> values, int seed, float scale)
    {
        var random = new Random(seed);
        foreach (ref var value in values) value = ((2 * random.NextSingle()) - 1) * scale;
    }

    internal static void AssertClose(Matrix actual, Matrix expected, float within)
    {
        for (var row = 0; row < expected.Rows; row++)
        {
            for (var c = 0; c < expected.Columns; c++)
            {
                var difference = Math.Abs(actual.Row(row)[c] - expected.Row(row)[c]);
                if (!(difference <= within)) Assert.Fail($"[{row}, {c}] is {actual.Row(row)[c]}, not {expected.Row(row)[c]} ± {within}");
            }
        }
    }

    internal static void AssertSameBits(ReadOnlySpan<float> actual, ReadOnlySpan<float> expected, string what = "")
    {
        if (MemoryMarshal.AsBytes(actual).SequenceEqual(MemoryMarshal.AsBytes(expected))) return;
        for (var i = 0; i < expected.Length; i++)
        {
            if (BitConverter.SingleToInt32Bits(actual[i]) != BitConverter.SingleToInt32Bits(expected[i]))
                Assert.Fail($"{what}[{i}] is {actual[i]:R}, not {expected[i]:R}");
        }
        Assert.Fail($"{what}: {actual.Length} values, not {expected.Length}");
    }

    /// <summary>
    /// Managed bytes that <paramref name="action"/> allocates on this thread in every run, once it has run before: the least of several, because the
    /// runtime itself allocates now and then.
    /// </summary>
    internal static long Allocated(Action action)
    {
        for (var i = 0; i < 3; i++) action();
        var least = long.MaxValue;
        for (var i = 0; i < 5; i++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            action();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }
        return least;
    }
}
