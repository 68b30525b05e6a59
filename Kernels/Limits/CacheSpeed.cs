using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Quilt.Kernels.Devices;

namespace Quilt.Kernels.Limits;

/// <summary>
/// How fast all threads together read what lies in their caches, in registers of the instruction set in use. All of them read the same bytes: who
/// reads has a copy of his own.
/// </summary>
internal sealed unsafe class CacheSpeed(CpuDevice device) : IDisposable
{
    /// <summary>Half of the smallest first-level cache that there is.</summary>
    private const int FirstLevelBytes = 16 << 10;

    /// <summary>
    /// More than any first-level cache. Where a second-level one has a megabyte, the larger is read faster; where it has less, the smaller.
    /// </summary>
    private static readonly int[] SecondLevelBytes = [256 << 10, 512 << 10];

    private const int Passes = 16;
    private const int ItemsAThread = 16;
    private const int ItemBytes = 8 << 20;

    private readonly NativeBuffer buffer = new(SecondLevelBytes[^1], zeroed: true);

    /// <summary>GB/s of first-level caches.</summary>
    public Speed FirstLevel() => Measure([FirstLevelBytes]);

    /// <summary>GB/s of second-level caches.</summary>
    public Speed SecondLevel() => Measure(SecondLevelBytes);

    public void Dispose() => buffer.Dispose();

    private Speed Measure(int[] sizes)
    {
        var items = ItemsAThread * device.Pool.Threads;
        return Speed.Of(Passes, (double)items * ItemBytes, pass =>
        {
            var job = new Read(buffer, sizes[pass % sizes.Length], device.Isa);
            device.Pool.Run(items, ref job);
        });
    }

    private readonly struct Read(NativeBuffer buffer, int bytes, Isa isa) : IJob
    {
        public void Execute(int item)
        {
            var zero = isa switch
            {
                Isa.Avx512 => Through512(buffer.Data, bytes),
                Isa.Avx2 or Isa.AvxVnni => Through256(buffer.Data, bytes),
                _ => Through128(buffer.Data, bytes),
            };
            if (!zero) throw new InvalidOperationException("memory changed while it was read");
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static bool Through512(byte* from, int bytes)
    {
        var (a, b, c, d) = (Vector512<int>.Zero, Vector512<int>.Zero, Vector512<int>.Zero, Vector512<int>.Zero);
        for (var times = ItemBytes / bytes; times > 0; times--)
        {
            for (var p = from; p < from + bytes; p += 512)
            {
                a |= Vector512.Load((int*)p);
                b |= Vector512.Load((int*)(p + 64));
                c |= Vector512.Load((int*)(p + 128));
                d |= Vector512.Load((int*)(p + 192));
                a |= Vector512.Load((int*)(p + 256));
                b |= Vector512.Load((int*)(p + 320));
                c |= Vector512.Load((int*)(p + 384));
                d |= Vector512.Load((int*)(p + 448));
            }
        }
        return (a | b | c | d) == Vector512<int>.Zero;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static bool Through256(byte* from, int bytes)
    {
        var (a, b, c, d) = (Vector256<int>.Zero, Vector256<int>.Zero, Vector256<int>.Zero, Vector256<int>.Zero);
        for (var times = ItemBytes / bytes; times > 0; times--)
        {
            for (var p = from; p < from + bytes; p += 256)
            {
                a |= Vector256.Load((int*)p);
                b |= Vector256.Load((int*)(p + 32));
                c |= Vector256.Load((int*)(p + 64));
                d |= Vector256.Load((int*)(p + 96));
                a |= Vector256.Load((int*)(p + 128));
                b |= Vector256.Load((int*)(p + 160));
                c |= Vector256.Load((int*)(p + 192));
                d |= Vector256.Load((int*)(p + 224));
            }
        }
        return (a | b | c | d) == Vector256<int>.Zero;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static bool Through128(byte* from, int bytes)
    {
        var (a, b, c, d) = (Vector128<int>.Zero, Vector128<int>.Zero, Vector128<int>.Zero, Vector128<int>.Zero);
        for (var times = ItemBytes / bytes; times > 0; times--)
        {
            for (var p = from; p < from + bytes; p += 128)
            {
                a |= Vector128.Load((int*)p);
                b |= Vector128.Load((int*)(p + 16));
                c |= Vector128.Load((int*)(p + 32));
                d |= Vector128.Load((int*)(p + 48));
                a |= Vector128.Load((int*)(p + 64));
                b |= Vector128.Load((int*)(p + 80));
                c |= Vector128.Load((int*)(p + 96));
                d |= Vector128.Load((int*)(p + 112));
            }
        }
        return (a | b | c | d) == Vector128<int>.Zero;
    }
}
