using BenchmarkDotNet.Attributes;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;

namespace Quilt.Perf.Kernels;

/// <summary>The keys and values of a layer of MiniMax-M2.5: 8 heads of 128.</summary>
public class WriteKvBench : OpBench
{
    private Matrix k;
    private Matrix v;
    private KvLayer kv = null!;
    private int[] slots = [];

    [Params(1, 512)]
    public int Tokens { get; set; }

    [Params(KvType.BFloat16, KvType.Fp8)]
    public KvType Cache { get; set; }

    public override long BytesMoved => 2L * Tokens * 8 * 128 * (sizeof(float) + KvLayer.BytesOf(Cache));

    [GlobalSetup]
    public void Open()
    {
        k = Random(Tokens, 8 * 128);
        v = Random(Tokens, 8 * 128);
        kv = new KvLayer(64, 16, 8, 128, Cache);
        slots = Enumerable.Range(3, Tokens).ToArray();
    }

    [Benchmark]
    public void Run() => Ops.WriteKv(k, v, kv, slots);
}
