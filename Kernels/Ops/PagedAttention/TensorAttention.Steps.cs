using ILGPU;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Weights;

namespace Quilt.Kernels.Ops;

internal static partial class TensorAttention
{
    /// <summary>
    /// Scores of sixteen queries with sixteen keys. Lane (g, t) holds of key g sixteen bytes of every 32 dimensions, 8t to 8t + 7: the first
    /// instruction takes of them 8t to 8t + 3, the second the others. Several sums side by side, because an instruction waits long for the one
    /// before.
    /// </summary>
    private static Scores Score<TDims, TPlanes>(Queries q, Keys16 k) where TDims : struct, IDims where TPlanes : struct, IPlanes
    {
        var low = Add(default, q.High.A, k.Low.A);
        var high = Add(default, q.High.A, k.High.A);
        if (TPlanes.Count > 1)
        {
            var (lowRest, highRest) = (Add(default, q.Rest.A, k.Low.A), Add(default, q.Rest.A, k.High.A));
            (low, high) = (Add(low, q.High.B, k.Low.B), Add(high, q.High.B, k.High.B));
            (lowRest, highRest) = (Add(lowRest, q.Rest.B, k.Low.B), Add(highRest, q.Rest.B, k.High.B));
            if (TDims.Halves > 1)
            {
                (low, high) = (Add(low, q.High.C, k.Low.C), Add(high, q.High.C, k.High.C));
                (lowRest, highRest) = (Add(lowRest, q.Rest.C, k.Low.C), Add(highRest, q.Rest.C, k.High.C));
                (low, high) = (Add(low, q.High.D, k.Low.D), Add(high, q.High.D, k.High.D));
                (lowRest, highRest) = (Add(lowRest, q.Rest.D, k.Low.D), Add(highRest, q.Rest.D, k.High.D));
            }
            return new Scores { Low = Add(low, lowRest), High = Add(high, highRest) };
        }
        var (lowB, highB) = (Add(default, q.High.B, k.Low.B), Add(default, q.High.B, k.High.B));
        if (TDims.Halves > 1)
        {
            (low, high) = (Add(low, q.High.C, k.Low.C), Add(high, q.High.C, k.High.C));
            (lowB, highB) = (Add(lowB, q.High.D, k.Low.D), Add(highB, q.High.D, k.High.D));
        }
        return new Scores { Low = Add(low, lowB), High = Add(high, highB) };
    }

    private static Acc4 Add(Acc4 sum, Query32 q, Words4 k)
    {
        sum = TensorCore.Multiply(sum, q.First.A, q.First.B, q.First.C, q.First.D, k.A, k.B);
        return TensorCore.Multiply(sum, q.Second.A, q.Second.B, q.Second.C, q.Second.D, k.C, k.D);
    }

    private static Acc4 Add(Acc4 a, Acc4 b) => new() { A = a.A + b.A, B = a.B + b.B, C = a.C + b.C, D = a.D + b.D };

    /// <summary>
    /// Adds values times probabilities. Lane (g, t) holds dimensions 8g to 8g + 7 of its values: column g of the j-th right operand is dimension 8g +
    /// j.
    /// </summary>
    private static Sums64 Weigh(Sums64 sums, Words4 p, Values64 v)
    {
        sums.A = Low(sums.A, p, v.A.A, v.B.A, v.C.A, v.D.A);
        sums.B = High(sums.B, p, v.A.A, v.B.A, v.C.A, v.D.A);
        sums.C = Low(sums.C, p, v.A.B, v.B.B, v.C.B, v.D.B);
        sums.D = High(sums.D, p, v.A.B, v.B.B, v.C.B, v.D.B);
        sums.E = Low(sums.E, p, v.A.C, v.B.C, v.C.C, v.D.C);
        sums.F = High(sums.F, p, v.A.C, v.B.C, v.C.C, v.D.C);
        sums.G = Low(sums.G, p, v.A.D, v.B.D, v.C.D, v.D.D);
        sums.H = High(sums.H, p, v.A.D, v.B.D, v.C.D, v.D.D);
        return sums;
    }

    private static Acc4 Low(Acc4 sum, Words4 p, uint v0, uint v1, uint v8, uint v9) =>
        TensorCore.Multiply(sum, p.A, p.B, p.C, p.D, TensorCore.LowHalves(v0, v1), TensorCore.LowHalves(v8, v9));

    private static Acc4 High(Acc4 sum, Words4 p, uint v0, uint v1, uint v8, uint v9) =>
        TensorCore.Multiply(sum, p.A, p.B, p.C, p.D, TensorCore.HighHalves(v0, v1), TensorCore.HighHalves(v8, v9));

    /// <summary>Probabilities as a left operand: their lanes are the right ones already.</summary>
    private static Words4 Pack(Scores p) => new()
    {
        A = TensorCore.Pack2(p.Low.A, p.Low.B), B = TensorCore.Pack2(p.Low.C, p.Low.D), C = TensorCore.Pack2(p.High.A, p.High.B),
        D = TensorCore.Pack2(p.High.C, p.High.D),
    };

    /// <summary>What <see cref="Pack"/> took from them.</summary>
    private static Words4 Rest(Scores p, Words4 packed) => new()
    {
        A = Rest(p.Low.A, p.Low.B, packed.A), B = Rest(p.Low.C, p.Low.D, packed.B), C = Rest(p.High.A, p.High.B, packed.C),
        D = Rest(p.High.C, p.High.D, packed.D),
    };

    private static uint Rest(float low, float high, uint packed) =>
        TensorCore.Pack2(low - Interop.IntAsFloat(packed << 16), high - Interop.IntAsFloat(packed & 0xFFFF0000));

    /// <summary>
    /// Keys that a row does not see get the score −∞. Lane (g, t) has those of rows g and g + 8 with keys 2t, 2t + 1 and, in the second part, 2t + 8,
    /// 2t + 9.
    /// </summary>
    private static Scores Hide(Scores s, Reach reach, int window, int key)
    {
        key += 2 * (Group.IdxX & 3);
        s.Low = Hide(s.Low, reach, window, key);
        s.High = Hide(s.High, reach, window, key + 8);
        return s;
    }

    private static Acc4 Hide(Acc4 s, Reach reach, int window, int key)
    {
        var (beforeA, beforeB) = (reach.ToA - window, reach.ToB - window);
        s.A = key > beforeA && key <= reach.ToA ? s.A : float.NegativeInfinity;
        s.B = key + 1 > beforeA && key + 1 <= reach.ToA ? s.B : float.NegativeInfinity;
        s.C = key > beforeB && key <= reach.ToB ? s.C : float.NegativeInfinity;
        s.D = key + 1 > beforeB && key + 1 <= reach.ToB ? s.D : float.NegativeInfinity;
        return s;
    }

    /// <summary>Values of keys beyond <paramref name="last"/>, counted from the first of the sixteen, become zeros.</summary>
    private static Values64 Hide(Values64 v, int last)
    {
        last -= 2 * (Group.IdxX & 3);
        v.A = Keep(v.A, last >= 0 ? 0xFFFFFFFF : 0);
        v.B = Keep(v.B, last >= 1 ? 0xFFFFFFFF : 0);
        v.C = Keep(v.C, last >= 8 ? 0xFFFFFFFF : 0);
        v.D = Keep(v.D, last >= 9 ? 0xFFFFFFFF : 0);
        return v;
    }

    private static Words4 Keep(Words4 w, uint mask) => new() { A = w.A & mask, B = w.B & mask, C = w.C & mask, D = w.D & mask };

    /// <summary>The largest of what a row had and of its sixteen scores, which its four lanes hold.</summary>
    private static float TopOfRow(float before, float a, float b, float c, float d)
    {
        var top = IntrinsicMath.Max(IntrinsicMath.Max(a, b), IntrinsicMath.Max(c, d));
        top = IntrinsicMath.Max(top, Warp.ShuffleXor(top, 1));
        top = IntrinsicMath.Max(top, Warp.ShuffleXor(top, 2));
        return IntrinsicMath.Max(before, top);
    }

    private static Acc4 Exp2(Acc4 s, float topA, float topB) => new()
    {
        A = TensorCore.Exp2(s.A - topA), B = TensorCore.Exp2(s.B - topA), C = TensorCore.Exp2(s.C - topB), D = TensorCore.Exp2(s.D - topB),
    };

    private static Sums64 Multiply(Sums64 s, float a, float b)
    {
        s.A = Multiply(s.A, a, b);
        s.B = Multiply(s.B, a, b);
        s.C = Multiply(s.C, a, b);
        s.D = Multiply(s.D, a, b);
        s.E = Multiply(s.E, a, b);
        s.F = Multiply(s.F, a, b);
        s.G = Multiply(s.G, a, b);
        s.H = Multiply(s.H, a, b);
        return s;
    }

    private static Acc4 Multiply(Acc4 s, float a, float b) => new() { A = s.A * a, B = s.B * a, C = s.C * b, D = s.D * b };
}
