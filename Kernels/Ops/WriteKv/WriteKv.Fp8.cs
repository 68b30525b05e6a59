using System.Diagnostics;
using System.Runtime.CompilerServices;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops.Vectors;

namespace Quilt.Kernels.Ops;

internal static partial class WriteKvOp
{
    /// <summary>Keys and values in FP8: what <see cref="Fp8Row.Encode"/> says, sixteen numbers at a time.</summary>
    private readonly unsafe struct Fp8Job<T>(Matrix k, Matrix v, KvLayer kv, int* slots) : IJob where T : unmanaged, IVector16<T>
    {
        private const float Unit = 1f / (1 << 30) / (1 << 30) / (1L << 60);    // 2^−120: codes under a float's exponent and mantissa

        private readonly int step = Math.Max(KvLayer.GroupTokens, Dealing.RowsAnItem(k.Columns));

        public int Items => (k.Rows + step - 1) / step;

        public void Execute(int item)
        {
            var (first, end) = (item * step, Math.Min(k.Rows, (item + 1) * step));
            for (var head = 0; head < kv.KvHeads; head++)
            {
                for (var row = first; row < end; row++)
                {
                    Debug.Assert((uint)slots[row] < (uint)(kv.Blocks * kv.BlockTokens), "slot outside the cache");
                    var (block, place) = Math.DivRem(slots[row], kv.BlockTokens);
                    var key = kv.KeyGroup(block, head, place / KvLayer.GroupTokens) + (place % KvLayer.GroupTokens);
                    var from = (long)head * kv.HeadDim;
                    var keyScale = Encode(k.RowData(row) + from, kv.Scales?.Key ?? 0, kv.Keys + key, KvLayer.GroupTokens);
                    var valueScale = Encode(v.RowData(row) + from, kv.Scales?.Value ?? 0, kv.Values + kv.ValueRow(block, head, place), 1);
                    (kv.Keys[kv.KeyScales(key)], kv.Values[kv.ValueScale(block, head, place)]) = Fp8Row.Together(keyScale, valueScale);
                }
            }
        }

        /// <summary>Writes the codes of a row, <paramref name="stride"/> bytes apart, and returns its scale's byte.</summary>
        [SkipLocalsInit]
        private byte Encode(float* row, float given, byte* to, int stride)
        {
            var (max, odd) = (T.Broadcast(0), T.Broadcast(0));
            for (var d = 0; d < kv.HeadDim; d += 16)
            {
                var x = Load(row, d);
                max = T.Max(max, T.And(x, 0x7FFF_FFFF));
                odd = T.Fma(x, T.Broadcast(0), odd);
            }
            if (T.Sum(odd) != 0) return Plain(row, given, to, stride);    // NaN: the row has a NaN or an infinity

            var scale = given == 0 ? Fp8Row.ScaleByte(BitConverter.SingleToUInt32Bits(T.MaxLane(max))) : Fp8Row.One;
            var (factor, divisor) = (T.Broadcast(1 / Fp8Row.Scale(scale)), T.Broadcast(given));
            var codes = stackalloc byte[16];
            for (var d = 0; d < kv.HeadDim; d += 16)
            {
                var x = Load(row, d);
                T.StoreBytes(Codes(given == 0 ? x * factor : x / divisor), codes);
                var count = Math.Min(16, kv.HeadDim - d);
                if (stride == 1) Unsafe.CopyBlockUnaligned(to + d, codes, (uint)count);
                else for (var i = 0; i < count; i++) to[(d + i) * stride] = codes[i];
            }
            return (byte)scale;
        }

        private T Load(float* row, int d) =>
            kv.HeadDim - d >= 16 ? T.Load(row + d) : VectorMath.LoadFirst<T>(row + d, kv.HeadDim - d);

        /// <summary>
        /// To the nearest code, ties to even, and no further than 448: a sum with 2^20 times the number's own power of two, but at least 2^−6, leaves
        /// it the three bits of a code's mantissa.
        /// </summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static T Codes(T x)
        {
            var size = T.Min(T.Broadcast(448), T.And(x, 0x7FFF_FFFF));
            var rounder = T.Max(T.Broadcast(1f / 64), T.And(size, 0x7F80_0000)) * T.Broadcast(1 << 20);
            var code = T.ShiftRight(((size + rounder) - rounder) * T.Broadcast(Unit), 20);
            return T.Or(code, T.ShiftRight(T.And(x, 0x8000_0000), 24));
        }

        private byte Plain(float* row, float given, byte* to, int stride)
        {
            // Nobody is in a hurry here.
            var codes = new byte[kv.HeadDim];
            var scale = Fp8Row.Encode(new ReadOnlySpan<float>(row, kv.HeadDim), given, codes);
            for (var d = 0; d < codes.Length; d++) to[(long)d * stride] = codes[d];
            return scale;
        }
    }
}
