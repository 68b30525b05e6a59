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

    private static void RunGpu(GpuStream gpu, Matrix k, Matrix v, KvLayer kv, Ints slots)
    {
        if (k.Rows == 0) return;
        var shape = kv.Gpu!.Shape;
        var count = checked(k.Rows * shape.KvHeads * shape.RowWords);
        var kernel = kv.Type == KvType.Float32 ? Kernel32 : Kernel16;
        kernel.On(gpu.Device)(gpu.Queue, gpu.Spread(count), gpu.View(k), gpu.View(v), kv.Gpu.Keys, kv.Gpu.Values, gpu.View(slots), shape, count);
    }

    /// <summary>A thread writes one word of a head's key and of its value.</summary>
    internal static void WriteKernel<T>(ArrayView<float> k, ArrayView<float> v, ArrayView<uint> keys, ArrayView<uint> values, ArrayView<int> slots,
        KvShape shape, int count)
        where T : struct, GpuKv.IType
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
}
