using ILGPU;
using ILGPU.Runtime;
using Quilt.Kernels.Devices;

namespace Quilt.Kernels.Ops;

internal static partial class RopeOp
{
    private static readonly GpuKernel<Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<float>, ArrayView<float>,
        ArrayView<float>, ArrayView<int>, HeadSizes>> Fused =
        new(NormRopeKernel, maxThreads: GpuTraits.WideThreads);

    private static void RunGpu(
        GpuStream gpu, Matrix q, NativeBuffer? qGain, Matrix k, NativeBuffer? kGain, int headDim, bool perHead, float epsilon, RopeTable table,
            Ints positions)
    {
        if (q.Rows == 0) return;
        var sizes = new HeadSizes
        {
            Tokens = q.Rows, HeadDim = headDim, Half = table.RotaryDim / 2, Stride = table.Stride, Epsilon = epsilon,
            HasQueryGain = qGain is null ? 0 : 1, HasKeyGain = kGain is null ? 0 : 1,
            QueryParts = perHead || qGain is null ? q.Columns / headDim : 1, KeyParts = perHead || kGain is null ? k.Columns / headDim : 1,
        };
        (sizes.QueryWidth, sizes.KeyWidth) = (q.Columns / sizes.QueryParts, k.Columns / sizes.KeyParts);
        var (onQ, onK) = (gpu.View(q), gpu.View(k));
        // Without a gain nothing is read of it; a view must be given all the same.
        Fused.On(gpu.Device)(
            gpu.Queue, gpu.Groups((long)q.Rows * (sizes.QueryParts + sizes.KeyParts), sizes.QueryWidth), onQ,
            qGain is null ? onQ : gpu.Device.Mirror(qGain), onK,
            kGain is null ? onK : gpu.Device.Mirror(kGain),
            gpu.Device.Mirror(table.Rows), gpu.View(positions), sizes);
    }

    /// <summary>A group takes a part of a token, which has a norm of its own: a head, or all heads of queries or of keys.</summary>
    internal static void NormRopeKernel(
        ArrayView<float> q, ArrayView<float> qGain, ArrayView<float> k, ArrayView<float> kGain, ArrayView<float> table, ArrayView<int> positions,
            HeadSizes sizes)
    {
        var sums = SharedMemory.Allocate<float>(GpuTraits.WideThreads);
        var parts = sizes.QueryParts + sizes.KeyParts;
        for (var item = Grid.IdxX; item < sizes.Tokens * parts; item += Grid.DimX)
        {
            var token = item / parts;
            var part = item - (token * parts);
            var angles = (long)positions[token] * 2 * sizes.Stride;
            if (part < sizes.QueryParts)
                Turn(q, qGain, sizes.HasQueryGain, sizes.QueryWidth, (token * sizes.QueryParts) + part, table, angles, sizes, sums);
            else Turn(k, kGain, sizes.HasKeyGain, sizes.KeyWidth, (token * sizes.KeyParts) + part - sizes.QueryParts, table, angles, sizes, sums);
        }
    }

    private static void Turn(
        ArrayView<float> x, ArrayView<float> gain, int hasGain, int width, int row, ArrayView<float> table, long angles, HeadSizes sizes,
            ArrayView<float> sums)
    {
        var first = (long)row * width;
        var scale = 1f;
        if (hasGain != 0)
        {
            var sum = 0f;
            for (var c = Group.IdxX; c < width; c += Group.DimX) sum += x[first + c] * x[first + c];
            scale = GpuMath.Rms(sums, sum, width, sizes.Epsilon);
        }
        for (var c = Group.IdxX; c < width; c += Group.DimX)
        {
            var d = c % sizes.HeadDim;
            if (d >= sizes.Half && d < 2 * sizes.Half) continue;    // turned by the thread of the value half a rotation before
            var at = first + c;
            var a = hasGain != 0 ? (x[at] * scale) * gain[c] : x[at];
            if (d >= sizes.Half)
            {
                x[at] = a;
                continue;
            }
            var b = hasGain != 0 ? (x[at + sizes.Half] * scale) * gain[c + sizes.Half] : x[at + sizes.Half];
            var (cos, sin) = (table[angles + d], table[angles + sizes.Stride + d]);
            x[at] = (a * cos) - (b * sin);
            x[at + sizes.Half] = (b * cos) + (a * sin);
        }
    }

    /// <summary>Parameters of the kernel.</summary>
    internal struct HeadSizes
    {
        public int Tokens;

        /// <summary>Parts of a token's queries that have a norm each, and of its keys.</summary>
        public int QueryParts;
        public int KeyParts;

        /// <summary>Values of a part.</summary>
        public int QueryWidth;
        public int KeyWidth;
        public int HasQueryGain;
        public int HasKeyGain;
        public int HeadDim;
        public int Half;
        public int Stride;
        public float Epsilon;
    }
}
