using Quilt.Formats.Tensors;

namespace Quilt.Formats.Checkpoints.Storage;

/// <summary>
/// The weight of one linear module as a checkpoint stores it: its tensors, whose shapes are checked against each other, and what reads them, as rows
/// of codes, scales and zero points. A subclass for each way of storing; <see cref="StorageReaders"/> lists them.
/// </summary>
public abstract class StoredModule
{
    private readonly TensorTable tensors;
    private readonly TensorEntry[] entries;

    private protected StoredModule(ModuleTensors module, params TensorEntry?[] entries)
    {
        (Name, Rows, Columns, tensors) = (module.Name, module.Rows, module.Columns, module.Table);
        this.entries = [.. entries.OfType<TensorEntry>()];
    }

    /// <summary>A part of a module: so many of its rows and columns.</summary>
    private protected StoredModule(StoredModule whole, int rows, int columns)
    {
        (Name, Rows, Columns, tensors, entries) = (whole.Name, rows, columns, whole.tensors, whole.entries);
    }

    /// <summary>Official path, without suffix.</summary>
    public string Name { get; }

    /// <summary>Outputs.</summary>
    public int Rows { get; }

    /// <summary>Inputs.</summary>
    public int Columns { get; }

    /// <summary>How it is stored, for people: e.g. "fp8 128x128" or "int4 g32".</summary>
    public abstract string Scheme { get; }

    /// <summary>The tensors that are read of it.</summary>
    public IReadOnlyList<TensorEntry> Tensors => entries;

    /// <summary>Bytes in the files.</summary>
    public long Bytes => entries.Sum(entry => entry.Length);

    /// <summary>What its rows are made of.</summary>
    internal abstract RowForm Form { get; }

    /// <summary>
    /// Bits of a code in the files; those of fewer than 4 or 8 are read as if they had so many, their zero in the middle of the more.
    /// </summary>
    internal virtual int CodeBits => Form.Bits;

    /// <summary>Its tiles, where it is a packed model's; null: its rows are to be read.</summary>
    internal virtual Packed.PackedTiles? Tiles => null;

    /// <summary>Bytes of a row as <see cref="ReadRows"/> gives it.</summary>
    internal abstract int RowBytes { get; }

    /// <summary>Whether each row goes through all of a larger tensor, so that rows are best read all at once.</summary>
    internal bool IsScattered => entries[0].Strides is not null;

    /// <summary>Scales of the module: one for each group of columns, for every <see cref="RowForm.ScaleRows"/> rows.</summary>
    internal int ScaleCount => Form.Scales is null ? 0 : checked(((Rows + Form.ScaleRows - 1) / Form.ScaleRows) * Form.Groups(Columns));

    /// <summary>
    /// Rows of codes, one after another in <see cref="RowBytes"/> bytes each: codes in the order of columns, lowest bits first; what follows the last
    /// code means nothing.
    /// </summary>
    /// <param name="first">The first row.</param>
    /// <param name="into">Room for whole rows.</param>
    /// <exception cref="BadInputException">A code is no finite number.</exception>
    internal abstract void ReadRows(int first, Span<byte> into);

    /// <summary>All scales as float32: [rows / <see cref="RowForm.ScaleRows"/>, groups].</summary>
    /// <exception cref="BadInputException">One is not finite and more than 0.</exception>
    internal virtual void ReadScales(Span<float> into)
    {
    }

    /// <summary>Zero points [rows, groups] as signed codes; null where there are none.</summary>
    /// <exception cref="BadInputException">There are some where the config says that there are none.</exception>
    internal virtual sbyte[]? ReadZeroPoints() => null;

    /// <summary>The group of each column; null for groups in the order of columns.</summary>
    /// <exception cref="BadInputException">An index is out of range.</exception>
    internal virtual int[]? ReadGroupIndex() => null;

    /// <summary>The weight in float32 [rows, columns]: the definition that every faster path is held to.</summary>
    internal abstract float[] Dequantize();

    /// <summary>Some of its rows and columns, read as if they were a module of their own.</summary>
    /// <exception cref="BadInputException">It cannot be cut there.</exception>
    internal StoredModule Part(int firstRow, int rows, int firstColumn, int columns) =>
        new ModulePart(this, firstRow, rows, firstColumn, columns);

    /// <summary>Reads bytes of one of its tensors.</summary>
    private protected void Read(TensorEntry tensor, Span<byte> into, long start = 0) => tensors.Read(tensor, into, start);

    /// <summary>All scales as <see cref="ReadScales"/> gives them.</summary>
    private protected float[] AllScales()
    {
        var scales = new float[ScaleCount];
        ReadScales(scales);
        return scales;
    }
}
