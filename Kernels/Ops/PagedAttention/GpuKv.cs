using ILGPU;
using ILGPU.Runtime;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Weights;

namespace Quilt.Kernels.Ops;

/// <summary>
/// A layer's cache on a GPU. Keys and values both lie as [blocks, kvHeads, blockTokens, rowWords] words of 32 bits, a word holding one float32, two
/// bfloat16 or four FP8 codes (the lowest dimension in the low bits). A row is padded to whole 16 bytes, so that it can be read in those; what pads
/// it is zero once written. In FP8 scales follow behind all rows, [blocks, kvHeads, blockTokens] bytes as <see cref="Fp8Row"/> says: those of the
/// tokens of a block stand together.
/// </summary>
internal sealed class GpuKv : IDisposable
{
    private readonly MemoryBuffer1D<uint, Stride1D.Dense> keys;
    private readonly MemoryBuffer1D<uint, Stride1D.Dense> values;

    public GpuKv(GpuDevice device, int blocks, int blockTokens, int kvHeads, int headDim, KvType type)
    {
        Shape = new KvShape { BlockTokens = blockTokens, KvHeads = kvHeads, HeadDim = headDim, RowWords = RowBytes(headDim, type) / sizeof(uint) };
        var rows = (long)blocks * blockTokens * kvHeads;
        var words = rows * Shape.RowWords;
        if (type == KvType.Fp8)
        {
            Shape = Shape with { Scales = words * sizeof(uint) };
            words += (rows + 15) / 16 * 4;
        }
        keys = device.Accelerator.Allocate1D<uint>(words);
        values = device.Accelerator.Allocate1D<uint>(words);
        keys.MemSetToZero();
        values.MemSetToZero();
        device.Accelerator.Synchronize();
    }

    /// <summary>Sizes, for kernels.</summary>
    public KvShape Shape { get; }

    public ArrayView<uint> Keys => keys.View.BaseView;

    public ArrayView<uint> Values => values.View.BaseView;

    public long Bytes => keys.LengthInBytes + values.LengthInBytes;

    /// <summary>Bytes of one key or value of one head, without scale.</summary>
    public static int RowBytes(int headDim, KvType type) => ((headDim * KvLayer.BytesOf(type)) + 15) & ~15;

    /// <summary>Fills the cache with one byte, for tests of what must not be read.</summary>
    public void Fill(byte value)
    {
        keys.MemSet(value);
        values.MemSet(value);
        // It is filled on another queue than operations run on.
        keys.Accelerator.Synchronize();
    }

    /// <summary>A copy of all words, for tests.</summary>
    public (uint[] Keys, uint[] Values) Read(GpuStream gpu)
    {
        gpu.Queue.Synchronize();
        return (keys.GetAsArray1D(), values.GetAsArray1D());
    }

    public void Dispose()
    {
        keys.Dispose();
        values.Dispose();
    }

    /// <summary>How numbers stand in words.</summary>
    internal interface IType
    {
        /// <summary>What the numbers of a row are to be multiplied with; <paramref name="row"/> counts rows.</summary>
        static abstract float Scale(ArrayView<uint> words, KvShape shape, long row);

        /// <summary>Number <paramref name="d"/> of the row that begins at word <paramref name="row"/>.</summary>
        static abstract float Get(ArrayView<uint> words, long row, int d);
    }

    /// <summary>Numbers that are written each for itself.</summary>
    internal interface IPacked : IType
    {
        /// <summary>Numbers in a word.</summary>
        static abstract int PerWord { get; }

        /// <summary>
        /// The word of the numbers from <paramref name="start"/> on, of which <paramref name="left"/> are left in the row; zeros follow.
        /// </summary>
        static abstract uint Pack(ArrayView<float> from, long start, int left);
    }

    internal readonly struct Float32 : IPacked
    {
        public static int PerWord => 1;

        public static uint Pack(ArrayView<float> from, long start, int left) => left > 0 ? Interop.FloatAsInt(from[start]) : 0;

        public static float Scale(ArrayView<uint> words, KvShape shape, long row) => 1f;

        public static float Get(ArrayView<uint> words, long row, int d) => Interop.IntAsFloat(words[row + d]);
    }

    internal readonly struct BFloat : IPacked
    {
        public static int PerWord => 2;

        public static uint Pack(ArrayView<float> from, long start, int left)
        {
            var low = left > 0 ? GpuMath.ToBFloat16(from[start]) : 0;
            var high = left > 1 ? GpuMath.ToBFloat16(from[start + 1]) : 0;
            return low | (high << 16);
        }

        public static float Scale(ArrayView<uint> words, KvShape shape, long row) => 1f;

        public static float Get(ArrayView<uint> words, long row, int d)
        {
            var word = words[row + (d >> 1)];
            return Interop.IntAsFloat((d & 1) == 0 ? word << 16 : word & 0xFFFF0000);
        }
    }

    /// <summary>FP8 codes, whose row has a scale.</summary>
    internal readonly struct Float8 : IType
    {
        public static float Scale(ArrayView<uint> words, KvShape shape, long row) => Scale(words.Cast<byte>()[shape.Scales + row]);

        private static float Scale(uint scaleByte) => Interop.IntAsFloat(scaleByte == Fp8Row.Broken ? 0x7FC00000u : scaleByte << 23);

        public static float Get(ArrayView<uint> words, long row, int d) => Fp8Gpu.Value((words[row + (d >> 2)] >> (8 * (d & 3))) & 0xFF, 0);
    }
}

/// <summary>Sizes of a layer's cache on a GPU.</summary>
internal struct KvShape
{
    public int BlockTokens;
    public int KvHeads;
    public int HeadDim;

    /// <summary>Words of a row.</summary>
    public int RowWords;

    /// <summary>In FP8 the first byte of scales.</summary>
    public long Scales;

    /// <summary>First word of a slot's row.</summary>
    public readonly long Row(int slot, int head) => RowOf(slot, head) * RowWords;

    /// <summary>A slot's row, counted in rows.</summary>
    public readonly long RowOf(int slot, int head)
    {
        var block = slot / BlockTokens;
        return ((((long)block * KvHeads) + head) * BlockTokens) + (slot - (block * BlockTokens));
    }
}
