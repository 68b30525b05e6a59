using BenchmarkDotNet.Attributes;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;
using Quilt.Perf.Columns;

namespace Quilt.Perf.Kernels;

/// <summary>
/// Decoding behind a long context, one layer of MiniMax-M2.5: 48 query heads on 8 key heads of 128. Together with another sequence of 512 tokens the
/// threads have work of very different length.
/// </summary>
public class LongAttentionBench : OpBench, IMakesProducts
{
    private const int Short = 512;
    private Matrix q;
    private Matrix y;
    private KvLayer kv = null!;
    private int[] positions = [];
    private int[] starts = [];
    private int[] tables = [];

    [Params(32768, 131072)]
    public int Context { get; set; }

    [Params(false, true)]
    public bool BesideShort { get; set; }

    [Params(KvType.BFloat16, KvType.Fp8)]
    public KvType Cache { get; set; }

    public override long BytesMoved => 2L * Cached * 8 * ((128 * KvLayer.BytesOf(Cache)) + (Cache == KvType.Fp8 ? 1 : 0));

    public double Operations => 4.0 * 48 * 128 * Cached;

    public bool OfBytes => false;

    private int Cached => Context + (BesideShort ? Short : 0);

    [GlobalSetup]
    public void Open()
    {
        var tokens = BesideShort ? 2 : 1;
        (q, y) = (Random(tokens, 48 * 128), Random(tokens, 48 * 128));
        kv = new KvLayer(Cached / 16, 16, 8, 128, Cache);
        tables = Enumerable.Range(0, Cached / 16).ToArray();
        new Random(1).Shuffle(tables);
        positions = BesideShort ? [Context - 1, Short - 1] : [Context - 1];
        starts = BesideShort ? [0, Context / 16] : [0];
        // The same few hundred keys and values over and over: which they are makes no difference.
        var (k, v) = (Random(Short, 8 * 128), Random(Short, 8 * 128));
        for (var first = 0; first < Cached; first += Short) Ops.WriteKv(k, v, kv, Enumerable.Range(first, Short).ToArray());
    }

    [Benchmark]
    public void Run() => Ops.PagedAttention(q, 48, kv, positions, starts, tables, 0.088388f, y);
}
