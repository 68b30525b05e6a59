using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;

namespace Quilt.Tests.Kernels.Ops;

/// <summary>A cache with the keys and values of several sequences in shuffled blocks, and the queries of all their tokens.</summary>
internal sealed class AttentionScene : IDisposable
{
    public readonly KvLayer Kv;

    /// <summary>The same in the host's memory, for the definition to read.</summary>
    public readonly KvLayer Mirror;
    public readonly int[] Tables;
    public readonly int[] Starts;
    public readonly int KvHeads;
    public readonly int Heads;
    public readonly int HeadDim;

    public AttentionScene(OpStream ops, int[] lengths, int heads, int kvHeads, int headDim, int blockTokens, KvType type, KvScales? scales = null)
    {
        (Heads, KvHeads, HeadDim) = (heads, kvHeads, headDim);
        Starts = new int[lengths.Length];
        var blocks = 0;
        for (var s = 0; s < lengths.Length; s++)
        {
            Starts[s] = blocks;
            blocks += (lengths[s] + blockTokens - 1) / blockTokens;
        }
        Tables = Enumerable.Range(0, blocks).ToArray();
        new Random(7).Shuffle(Tables);
        Kv = new KvLayer(blocks, blockTokens, kvHeads, headDim, type, ops.Gpu?.Device, scales);
        Mirror = Kv.Gpu is null ? Kv : new KvLayer(blocks, blockTokens, kvHeads, headDim, type, null, scales);
        Poison();
        for (var s = 0; s < lengths.Length; s++)
        {
            var slots = Enumerable.Range(0, lengths[s]).Select(p => (Tables[Starts[s] + (p / blockTokens)] * blockTokens) + (p % blockTokens))
                .ToArray();
            var (k, v) = (ops.HostScratch(lengths[s], kvHeads * headDim), ops.HostScratch(lengths[s], kvHeads * headDim));
            OpTests.Fill(k.Values, 100 + s, 2);
            OpTests.Fill(v.Values, 200 + s, 2);
            ops.WriteKv(ops.ToDevice(k), ops.ToDevice(v), Kv, slots);
            if (Mirror != Kv) WriteKvOp.Reference(k, v, Mirror, slots);
        }
    }

    public Matrix Attend(OpStream ops, Matrix q, int[] positions, int[] sequences, int window = int.MaxValue, NativeBuffer? sinks = null,
        float? scale = null)
    {
        var y = ops.Scratch(q.Rows, q.Columns);
        if (!y.IsOnDevice) y.Values.Fill(float.NaN);
        var starts = sequences.Select(s => Starts[s]).ToArray();
        ops.PagedAttention(ops.ToDevice(q), Heads, Kv, positions, starts, Tables, scale ?? (1 / MathF.Sqrt(HeadDim)), y, window, sinks);
        return ops.ToHost(y);
    }

    public Matrix Expected(OpStream ops, Matrix q, int[] positions, int[] sequences, int window = int.MaxValue, NativeBuffer? sinks = null,
        float? scale = null)
    {
        var y = ops.HostScratch(q.Rows, q.Columns);
        PagedAttentionOp.Reference(q, Heads, Mirror, positions, sequences.Select(s => Starts[s]).ToArray(), Tables, scale
            ?? (1 / MathF.Sqrt(HeadDim)), y, window, sinks);
        return y;
    }

    public void Dispose()
    {
        Kv.Dispose();
        Mirror.Dispose();
    }

    /// <summary>What no token has written must not be read: a cache is full of what others left there.</summary>
    private unsafe void Poison()
    {
        if (Kv.Gpu is not null)
        {
            Kv.Gpu.Fill(0xFF);
            return;
        }
        var keys = (long)Kv.Blocks * Kv.KvHeads * Kv.Groups * Kv.KeyGroupSize * Kv.ElementBytes;
        new Span<byte>(Kv.Keys, (int)keys).Fill(0xFF);
        for (var block = 0; block < Kv.Blocks; block++)
        {
            for (var head = 0; head < Kv.KvHeads; head++)
            {
                for (var place = 0; place < Kv.BlockTokens; place++)
                {
                    new Span<byte>(Kv.Values + (Kv.ValueRow(block, head, place) * Kv.ElementBytes), Kv.HeadDim * Kv.ElementBytes).Fill(0xFF);
                    if (Kv.Type == KvType.Fp8) Kv.Values[Kv.ValueScale(block, head, place)] = 0xFF;
                }
            }
        }
    }
}
