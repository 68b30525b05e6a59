using System.Diagnostics;
using Quilt.Formats.Numerics;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops.Vectors;

namespace Quilt.Kernels.Ops;

/// <summary>
/// Puts row t of keys and values at slot slots[t] of a layer's cache, rounded to its type (nearest, ties to even); in FP8 as
/// <see cref="Fp8Row"/> says.
/// </summary>
internal static partial class WriteKvOp
{
    /// <summary>k and v are [tokens, kvHeads · headDim]; one slot a token, no slot twice.</summary>
    public static unsafe void WriteKv(this OpStream ops, Matrix k, Matrix v, KvLayer kv, Ints slots)
    {
        Debug.Assert(k.Rows == slots.Length && v.Rows == slots.Length, "write kv: one slot a row");
        Debug.Assert(k.Columns == kv.KvHeads * kv.HeadDim && v.Columns == k.Columns, "write kv: shapes differ");
        if (ops.Gpu is not null)
        {
            RunGpu(ops.Gpu, k, v, kv, slots);
            return;
        }
        using var watch = ops.Watch(StepPart.WriteKv);
        if (ops.Device.Isa == Isa.Reference)
        {
            Reference(k, v, kv, slots.Host);
            return;
        }
        fixed (int* first = slots.Host)
        {
            switch (kv.Type, ops.Device.Isa)
            {
                case (KvType.Fp8, Isa.Avx512): RunFp8<Vector16x1>(ops, k, v, kv, first); break;
                case (KvType.Fp8, Isa.Avx2 or Isa.AvxVnni): RunFp8<Vector16x2>(ops, k, v, kv, first); break;
                case (KvType.Fp8, _): RunFp8<Vector16x4>(ops, k, v, kv, first); break;
                default:
                    var job = new Job(k, v, kv, first);
                    ops.Deal(job.Items, 8L * k.Rows * k.Columns, ref job);
                    break;
            }
        }
    }

    private static unsafe void RunFp8<T>(OpStream ops, Matrix k, Matrix v, KvLayer kv, int* slots) where T : unmanaged, IVector16<T>
    {
        var job = new Fp8Job<T>(k, v, kv, slots);
        ops.Deal(job.Items, 8L * k.Rows * k.Columns, ref job);
    }

    private readonly unsafe struct Job(Matrix k, Matrix v, KvLayer kv, int* slots) : IJob
    {
        private readonly int step = Math.Max(KvLayer.GroupTokens, Dealing.RowsAnItem(k.Columns));

        public int Items => (k.Rows + step - 1) / step;

        public void Execute(int item)
        {
            var (first, end) = (item * step, Math.Min(k.Rows, (item + 1) * step));

            // Head by head: the tokens of a chunk mostly share their group of keys, and with it its cache lines.
            for (var head = 0; head < kv.KvHeads; head++)
            {
                for (var row = first; row < end; row++)
                {
                    Debug.Assert((uint)slots[row] < (uint)(kv.Blocks * kv.BlockTokens), "slot outside the cache");
                    var (block, place) = Math.DivRem(slots[row], kv.BlockTokens);
                    var key = kv.KeyGroup(block, head, place / KvLayer.GroupTokens) + (place % KvLayer.GroupTokens);
                    var value = kv.ValueRow(block, head, place);
                    var fromKey = k.RowData(row) + ((long)head * kv.HeadDim);
                    var fromValue = v.RowData(row) + ((long)head * kv.HeadDim);
                    if (kv.Type == KvType.Float32) Write(fromKey, fromValue, (float*)kv.Keys + key, (float*)kv.Values + value, kv.HeadDim);
                    else Write(fromKey, fromValue, (ushort*)kv.Keys + key, (ushort*)kv.Values + value, kv.HeadDim);
                }
            }
        }

        private static void Write(float* fromKey, float* fromValue, float* key, float* value, int count)
        {
            for (var d = 0; d < count; d++) key[d * KvLayer.GroupTokens] = fromKey[d];
            new ReadOnlySpan<float>(fromValue, count).CopyTo(new Span<float>(value, count));
        }

        private static void Write(float* fromKey, float* fromValue, ushort* key, ushort* value, int count)
        {
            for (var d = 0; d < count; d++) key[d * KvLayer.GroupTokens] = ((BFloat16)fromKey[d]).Bits;
            for (var d = 0; d < count; d++) value[d] = ((BFloat16)fromValue[d]).Bits;
        }
    }
}
