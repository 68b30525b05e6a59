using ILGPU;
using ILGPU.Runtime;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Weights;
using static Quilt.Kernels.Ops.TensorAttention;

namespace Quilt.Kernels.Ops;

internal static partial class PagedAttentionOp
{
    /// <summary>Neighbouring tokens of one sequence up to which each is taken as in decoding: its bits do not depend on the others.</summary>
    private const int ShortRun = 16;

    /// <summary>Most floats of partial results: more tokens than have room there take turns.</summary>
    private const long MostPartials = 1 << 23;

    private static readonly GpuKernel<Action<AcceleratorStream, KernelConfig, ArrayView<Words4>, ArrayView<Words4>, ArrayView<Words4>, ArrayView<int>,
        ArrayView<int>, ArrayView<int>, ArrayView<float>, ArrayView<Words4>, ArrayView<float>, TensorSizes>> Tensor64 =
        new(AttendKernel<Dims64, TwoPlanes, AlignedBlocks>, KernelNeeds.TensorCores | KernelNeeds.Hot, 32 * Warps, 3);
    private static readonly GpuKernel<Action<AcceleratorStream, KernelConfig, ArrayView<Words4>, ArrayView<Words4>, ArrayView<Words4>, ArrayView<int>,
        ArrayView<int>, ArrayView<int>, ArrayView<float>, ArrayView<Words4>, ArrayView<float>, TensorSizes>> Tensor128 =
        new(AttendKernel<Dims128, TwoPlanes, AlignedBlocks>, KernelNeeds.TensorCores | KernelNeeds.Hot, 32 * Warps, 2);
    private static readonly GpuKernel<Action<AcceleratorStream, KernelConfig, ArrayView<Words4>, ArrayView<Words4>, ArrayView<Words4>, ArrayView<int>,
        ArrayView<int>, ArrayView<int>, ArrayView<float>, ArrayView<Words4>, ArrayView<float>, TensorSizes>> Rounded64 =
        new(AttendKernel<Dims64, OnePlane, AlignedBlocks>, KernelNeeds.TensorCores | KernelNeeds.Hot, 32 * Warps, 3);
    private static readonly GpuKernel<Action<AcceleratorStream, KernelConfig, ArrayView<Words4>, ArrayView<Words4>, ArrayView<Words4>, ArrayView<int>,
        ArrayView<int>, ArrayView<int>, ArrayView<float>, ArrayView<Words4>, ArrayView<float>, TensorSizes>> Rounded128 =
        new(AttendKernel<Dims128, OnePlane, AlignedBlocks>, KernelNeeds.TensorCores | KernelNeeds.Hot, 32 * Warps, 2);
    private static readonly GpuKernel<Action<AcceleratorStream, KernelConfig, ArrayView<Words4>, ArrayView<Words4>, ArrayView<Words4>, ArrayView<int>,
        ArrayView<int>, ArrayView<int>, ArrayView<float>, ArrayView<Words4>, ArrayView<float>, TensorSizes>> Any64 =
        new(AttendKernel<Dims64, TwoPlanes, AnyBlocks>, KernelNeeds.TensorCores | KernelNeeds.Hot, 32 * Warps, 3);
    private static readonly GpuKernel<Action<AcceleratorStream, KernelConfig, ArrayView<Words4>, ArrayView<Words4>, ArrayView<Words4>, ArrayView<int>,
        ArrayView<int>, ArrayView<int>, ArrayView<float>, ArrayView<Words4>, ArrayView<float>, TensorSizes>> Any128 =
        new(AttendKernel<Dims128, TwoPlanes, AnyBlocks>, KernelNeeds.TensorCores | KernelNeeds.Hot, 32 * Warps, 2);
    private static readonly GpuKernel<Action<AcceleratorStream, KernelConfig, ArrayView<Words4>, ArrayView<float>, ArrayView<int>, ArrayView<float>,
        ArrayView<Words4>, TensorSizes, int>> TensorMerge =
        new(TensorAttention.MergeKernel, KernelNeeds.TensorCores);

    /// <summary>Whether the tensor-core kernel takes a cache. Rows of a cache are counted in 32 bits.</summary>
    internal static bool SuitsTensorCores(GpuDevice device, KvLayer kv) =>
        device.Traits.TensorCores && HasTensorKernel(kv.HeadDim, kv.Type) && (long)kv.Blocks * kv.BlockTokens * kv.KvHeads <= int.MaxValue;

    /// <summary>Whether there is a tensor-core kernel for such heads.</summary>
    internal static bool HasTensorKernel(int headDim, KvType type) => type == KvType.BFloat16 && headDim is 64 or 128;

    /// <summary>Most floats of scratch memory that long contexts of so many sequences take.</summary>
    internal static long Partials(int sequences, int heads, int headDim, KvType type) =>
        HasTensorKernel(headDim, type) ? Math.Min(MostPartials, (long)sequences * heads * MostSpans * (headDim + 2)) : 0;

    private static void RunTensor(
        GpuStream gpu, Matrix q, int heads, KvLayer kv, Ints positions, Ints tableStarts, Ints tables, float scale, Matrix into, int window,
            NativeBuffer? sinks)
    {
        var last = 0;
        foreach (var position in positions.Host) last = Math.Max(last, position);
        var launch = new TensorLaunch
        {
            Gpu = gpu, Kv = kv, Q = gpu.View(q).Cast<Words4>(), Into = gpu.View(into).Cast<Words4>(), Positions = gpu.View(positions),
            Starts = gpu.View(tableStarts),
            Tables = gpu.View(tables), Sinks = sinks is null ? gpu.View(q) : gpu.Device.Mirror(sinks),
            Warps = Math.Min(Warps, gpu.Device.Traits.MostWarps),
            // A row in a window needs no more spans than the window does, wherever it begins.
            Spans = Math.Min(Math.Min(SpansFor(last), MostSpans), (Math.Min(window, 1 << 20) + 15 + GpuSpan - 1) / GpuSpan),
        };
        var sizes = new TensorSizes
        {
            KvHeads = kv.KvHeads, Heads = heads, Share = heads / kv.KvHeads, Scale = scale * Log2E, Window = window, HasSinks = sinks is null ? 0 : 1,
        };

        sizes.SetBlocks(kv.BlockTokens);
        if (last >= TensorSizes.MostPositions(kv.BlockTokens))
            throw new NotSupportedException(
                $"PagedAttention: expected positions below {TensorSizes.MostPositions(kv.BlockTokens)} with blocks of {kv.BlockTokens} tokens on " +
                $"a GPU, found {last}.");

        // Runs of few tokens and of many, as they come: neighbouring runs of a kind go together.
        var (from, at) = (0, 0);
        var wasShort = true;
        while (at < q.Rows)
        {
            var end = at + 1;
            while (end < q.Rows && tableStarts.Host[end] == tableStarts.Host[at] && positions.Host[end] == positions.Host[end - 1] + 1) end++;
            var isShort = end - at <= ShortRun;
            if (isShort != wasShort)
            {
                launch.Run(sizes, from, at, wasShort);
                (from, wasShort) = (at, isShort);
            }
            at = end;
        }
        launch.Run(sizes, from, at, wasShort);
    }

    /// <summary>What the launches of one operation share.</summary>
    private readonly ref struct TensorLaunch
    {
        public GpuStream Gpu { get; init; }

        public KvLayer Kv { get; init; }

        public ArrayView<Words4> Q { get; init; }

        public ArrayView<Words4> Into { get; init; }

        public ArrayView<int> Positions { get; init; }

        public ArrayView<int> Starts { get; init; }

        public ArrayView<int> Tables { get; init; }

        public ArrayView<float> Sinks { get; init; }

        public int Warps { get; init; }

        public int Spans { get; init; }

        /// <summary>Tokens from <paramref name="first"/> to before <paramref name="end"/>.</summary>
        public void Run(TensorSizes sizes, int first, int end, bool decoding)
        {
            if (first == end) return;
            var strips = ((decoding ? 1 : end - first) * sizes.Share + 15) / 16;
            (sizes.First, sizes.Units, sizes.UnitTokens) = (first, decoding ? end - first : 1, decoding ? 1 : end - first);
            (sizes.KeyWarps, sizes.StripGroups, sizes.Spans) = decoding ? (Warps, strips, Spans) : (1, (strips + Warps - 1) / Warps, 1);
            sizes.Split = sizes.Spans > 1 ? 1 : 0;
            if (sizes.Split == 0)
            {
                Attend(sizes, Into, Sinks, decoding);
                return;
            }
            var each = (long)sizes.Heads * Spans * (Kv.HeadDim + 2);
            var most = (int)Math.Max(1, MostPartials / each);
            for (; sizes.First < end; sizes.First += most)
            {
                sizes.Units = Math.Min(most, end - sizes.First);
                var mark = Gpu.Scratch.Mark();
                var rows = sizes.Units * sizes.Heads * Spans;
                var partials = Gpu.View(Gpu.Scratch.Take(rows, Kv.HeadDim)).Cast<Words4>();
                var tops = Gpu.View(Gpu.Scratch.Take(rows, 2));
                Attend(sizes, partials, tops, decoding);
                TensorMerge.On(Gpu.Device)(Gpu.Queue, Gpu.Spread((long)sizes.Units * sizes.Heads * Kv.HeadDim / 4), partials, tops, Positions, Sinks,
                    Into, sizes, Kv.HeadDim / 4);
                Gpu.Scratch.Release(mark);
            }
        }

        private void Attend(TensorSizes sizes, ArrayView<Words4> result, ArrayView<float> tops, bool decoding)
        {
            var rounded = !decoding && Gpu.Activations != Activations.Float;
            var kernel = Kv.BlockTokens % 16 != 0 ? (Kv.HeadDim == 64 ? Any64 : Any128)
                : rounded ? (Kv.HeadDim == 64 ? Rounded64 : Rounded128) : (Kv.HeadDim == 64 ? Tensor64 : Tensor128);
            var items = (long)sizes.Units * sizes.StripGroups * sizes.KvHeads * sizes.Spans;
            kernel.On(Gpu.Device)(
                Gpu.Queue, new KernelConfig((int)Math.Min(items, Gpu.Device.Traits.MostGroups), 32 * Warps), Q, Kv.Gpu!.Keys.Cast<Words4>(),
                Kv.Gpu.Values.Cast<Words4>(),
                Positions, Starts, Tables, Sinks, result, tops, sizes);
        }
    }
}
