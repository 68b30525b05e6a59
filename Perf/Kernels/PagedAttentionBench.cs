using BenchmarkDotNet.Attributes;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;
using Quilt.Perf.Columns;

namespace Quilt.Perf.Kernels;

/// <summary>
/// A layer of MiniMax-M2.5: 48 query heads on 8 key heads of 128. Decoding one token, or a chunk of a prompt, at the end of a context.
/// </summary>
public class PagedAttentionBench : OpBench, IMakesProducts
{
    private Matrix q;
    private Matrix y;
    private KvLayer kv = null!;
    private int[] positions = [];
    private int[] starts = [];
    private int[] tables = [];

    [Params(1, 256)]
    public int Tokens { get; set; }

    [Params(1024, 8192)]
    public int Context { get; set; }

    [Params(KvType.BFloat16, KvType.Float32, KvType.Fp8)]
    public KvType Cache { get; set; }

    public override long BytesMoved => 2L * Context * 8 * ((128 * KvLayer.BytesOf(Cache)) + (Cache == KvType.Fp8 ? 1 : 0));

    /// <summary>Of the keys and values that each token sees.</summary>
    public double Operations => 4.0 * 48 * 128 * ((Tokens * (double)(Context - Tokens)) + (Tokens * (Tokens + 1) / 2.0));

    public bool OfBytes => false;

    [GlobalSetup]
    public void Open()
    {
        q = Random(Tokens, 48 * 128);
        y = Random(Tokens, 48 * 128);
        kv = new KvLayer(Context / 16, 16, 8, 128, Cache);
        tables = Enumerable.Range(0, Context / 16).ToArray();
        new Random(1).Shuffle(tables);
        positions = Enumerable.Range(Context - Tokens, Tokens).ToArray();
        starts = new int[Tokens];
        Ops.WriteKv(Random(Context, 8 * 128), Random(Context, 8 * 128), kv, Enumerable.Range(0, Context).ToArray());
    }

    [Benchmark]
    public void Run() => Ops.PagedAttention(q, 48, kv, positions, starts, tables, 0.088388f, y);
}
