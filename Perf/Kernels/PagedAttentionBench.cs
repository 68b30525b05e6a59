using BenchmarkDotNet.Attributes;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;
using Quilt.Perf.Columns;

namespace Quilt.Perf.Kernels;

/// <summary>
/// A layer of MiniMax-M2.5: 48 query heads on 8 key heads of 128. Decoding one token, or a chunk of a prompt, at the end of a context; or decoding
/// one long sequence among seven of 100 tokens.
/// </summary>
public class PagedAttentionBench : OpBench, IMakesProducts
{
    private const int Heads = 48;
    private const int KeyHeads = 8;
    private const int HeadDim = 128;
    private const int BlockTokens = 16;
    private const int ShortContext = 100;

    private Matrix q;
    private Matrix y;
    private KvLayer kv = null!;
    private int[] positions = [];
    private int[] starts = [];
    private int[] tables = [];

    /// <summary>What a step asks for.</summary>
    public enum Step
    {
        /// <summary>One token of one sequence.</summary>
        Decode,

        /// <summary>One token of each of eight sequences, seven of them short.</summary>
        Mixed,

        /// <summary>The last 256 tokens of a prompt.</summary>
        Prompt,
    }

    [Params(Step.Decode, Step.Mixed, Step.Prompt)]
    public Step Work { get; set; }

    [Params(1024, 8192, 32768, 131072)]
    public int Context { get; set; }

    [Params(KvType.BFloat16, KvType.Float32, KvType.Fp8)]
    public KvType Cache { get; set; }

    public override long BytesMoved =>
        2L * (Context + (Work == Step.Mixed ? 7 * ShortContext : 0)) * KeyHeads
        * ((HeadDim * KvLayer.BytesOf(Cache)) + (Cache == KvType.Fp8 ? 1 : 0));

    /// <summary>Of the keys and values that each token sees.</summary>
    public double Operations => 4.0 * Heads * HeadDim * Work switch
    {
        Step.Decode => Context,
        Step.Mixed => Context + (7.0 * ShortContext),
        _ => 256.0 * (Context - 127.5),
    };

    public bool OfBytes => false;

    [GlobalSetup]
    public void Open()
    {
        int[] lengths = Work == Step.Mixed ? [Context, .. Enumerable.Repeat(ShortContext, 7)] : [Context];
        var first = new int[lengths.Length + 1];
        for (var s = 0; s < lengths.Length; s++) first[s + 1] = first[s] + ((lengths[s] + BlockTokens - 1) / BlockTokens);

        positions = Work == Step.Prompt ? [.. Enumerable.Range(Context - 256, 256)] : [.. lengths.Select(n => n - 1)];
        starts = Work == Step.Prompt ? new int[256] : first[..^1];
        tables = [.. Enumerable.Range(0, first[^1])];
        new Random(1).Shuffle(tables);
        q = Random(positions.Length, Heads * HeadDim);
        y = Random(positions.Length, Heads * HeadDim);

        kv = new KvLayer(first[^1], BlockTokens, KeyHeads, HeadDim, Cache);
        var (keys, values) = (Random(1024, KeyHeads * HeadDim), Random(1024, KeyHeads * HeadDim));
        var slots = first[^1] * BlockTokens;
        for (var at = 0; at < slots; at += 1024)
        {
            var tokens = Math.Min(1024, slots - at);
            Ops.WriteKv(keys.Slice(0, tokens), values.Slice(0, tokens), kv, Enumerable.Range(at, tokens).ToArray());
        }
    }

    [Benchmark]
    public void Run() => Ops.PagedAttention(q, Heads, kv, positions, starts, tables, 0.088388f, y);

    [GlobalCleanup]
    public void CloseCache() => kv.Dispose();
}
