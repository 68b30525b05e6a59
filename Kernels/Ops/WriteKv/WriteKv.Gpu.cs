using ILGPU;
using ILGPU.Runtime;
using Quilt.Kernels.Devices;

namespace Quilt.Kernels.Ops;

internal static partial class WriteKvOp
{
    private static readonly GpuKernel<Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<uint>, ArrayView<uint>,
        ArrayView<int>, KvShape, int>> Kernel32 =
        new(WriteKernel<GpuKv.Float32>);
    private static readonly GpuKernel<Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<uint>, ArrayView<uint>,
        ArrayView<int>, KvShape, int>> Kernel16 =
        new(WriteKernel<GpuKv.BFloat>);
    private static readonly GpuKernel<Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<uint>, ArrayView<uint>,
        ArrayView<int>, KvShape, int, float, float>> Kernel8 =
        new(WriteFp8Kernel);

    private static void RunGpu(GpuStream gpu, Matrix k, Matrix v, KvLayer kv, Ints slots)
    {
        if (k.Rows == 0) return;
        var shape = kv.Gpu!.Shape;
        var count = checked(k.Rows * shape.KvHeads * shape.RowWords);
        if (kv.Type == KvType.Fp8)
        {
            Kernel8.On(gpu.Device)(gpu.Queue, gpu.Spread(count), gpu.View(k), gpu.View(v), kv.Gpu.Keys, kv.Gpu.Values, gpu.View(slots), shape, count,
                kv.Scales?.Key ?? 0, kv.Scales?.Value ?? 0);
            return;
        }
        var kernel = kv.Type == KvType.Float32 ? Kernel32 : Kernel16;
        kernel.On(gpu.Device)(gpu.Queue, gpu.Spread(count), gpu.View(k), gpu.View(v), kv.Gpu.Keys, kv.Gpu.Values, gpu.View(slots), shape, count);
    }

    /// <summary>A thread writes one word of a head's key and of its value.</summary>
    internal static void WriteKernel<T>(ArrayView<float> k, ArrayView<float> v, ArrayView<uint> keys, ArrayView<uint> values, ArrayView<int> slots,
        KvShape shape, int count)
        where T : struct, GpuKv.IPacked
    {
        for (var n = Grid.GlobalIndex.X; n < count; n += Grid.DimX * Group.DimX)
        {
            var row = n / shape.RowWords;               // of all tokens' heads
            var word = n - (row * shape.RowWords);
            var token = row / shape.KvHeads;
            var head = row - (token * shape.KvHeads);
            var from = ((long)row * shape.HeadDim) + (word * T.PerWord);
            var left = shape.HeadDim - (word * T.PerWord);
            var to = shape.Row(slots[token], head) + word;
            keys[to] = T.Pack(k, from, left);
            values[to] = T.Pack(v, from, left);
        }
    }

    /// <summary>The same in FP8: every thread of a row finds the row's scale for itself.</summary>
    internal static void WriteFp8Kernel(ArrayView<float> k, ArrayView<float> v, ArrayView<uint> keys, ArrayView<uint> values, ArrayView<int> slots,
        KvShape shape, int count, float keyScale, float valueScale)
    {
        for (var n = Grid.GlobalIndex.X; n < count; n += Grid.DimX * Group.DimX)
        {
            var row = n / shape.RowWords;
            var token = row / shape.KvHeads;
            var to = shape.RowOf(slots[token], row - (token * shape.KvHeads));
            var (key, value) = (Look(k, row, shape), Look(v, row, shape));
            var broken = key.Above > 0x7F800000 || value.Above > 0x7F800000;
            PutWord(k, row, n - (row * shape.RowWords), keys, to, shape, keyScale, key.Largest, broken);
            PutWord(v, row, n - (row * shape.RowWords), values, to, shape, valueScale, value.Largest, broken);
        }
    }

    private static Magnitudes Look(ArrayView<float> from, int row, KvShape shape)
    {
        var first = (long)row * shape.HeadDim;
        var found = default(Magnitudes);
        for (var d = 0; d < shape.HeadDim; d++)
        {
            var size = Interop.FloatAsInt(from[first + d]) & 0x7FFFFFFF;
            found.Above = size > found.Above ? size : found.Above;
            if (size < 0x7F800000 && size > found.Largest) found.Largest = size;
        }
        return found;
    }

    /// <summary>Bits of the largest magnitudes of a row: of all, NaN above infinity, and of the finite.</summary>
    private struct Magnitudes
    {
        public uint Above;
        public uint Largest;
    }

    /// <summary>Four codes of a row, and, with the first four, the row's scale.</summary>
    private static void PutWord(ArrayView<float> from, int row, int word, ArrayView<uint> into, long to, KvShape shape, float given, uint largest,
        bool broken)
    {
        var first = (long)row * shape.HeadDim;
        var scale = given == 0f ? Fp8Row.ScaleByte(largest) : Fp8Row.One;
        var divisor = given == 0f ? Interop.IntAsFloat((uint)scale << 23) : given;
        uint codes = 0;
        for (var i = 0; i < 4; i++)
        {
            var d = (4 * word) + i;
            if (d < shape.HeadDim) codes |= GpuMath.ToE4M3(from[first + d] / divisor) << (8 * i);
        }
        into[(to * shape.RowWords) + word] = codes;
        if (word == 0) into.Cast<byte>()[shape.Scales + to] = (byte)(broken ? Fp8Row.Broken : scale);
    }
}
