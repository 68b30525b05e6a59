using System.Runtime.InteropServices;
using Quilt.Formats.Checkpoints.Packed;
using Quilt.Formats.Tensors;

namespace Quilt.Formats.Checkpoints.Storage;

/// <summary>
/// A module of a packed checkpoint: tiles as they lie in memory, to be mapped and not to be read row by row (docs/packing.md).
/// </summary>
internal sealed class TiledModule : StoredModule
{
    private readonly TileForm form;
    private readonly string file;
    private readonly TensorEntry? groups;       // I32 [columns], or null

    private TiledModule(ModuleTensors module, TensorEntry tiles, TileForm form)
        : base(module, tiles, module.Find(TileForm.Scales), module.Find(TileForm.Zeros), module.Find(TileForm.Groups))
    {
        (this.form, file) = (form, tiles.File);
        Tiles = new PackedTiles(tiles, module.Find(TileForm.Scales), module.Find(TileForm.Zeros));
        groups = module.Find(TileForm.Groups);
    }

    /// <summary>What recognizes it.</summary>
    public static StorageReader Reader { get; } = new("tiles as U32", [], TryRead);

    public override string Scheme => $"tiles of {Kind}{(form.Row.ZeroPoints ? " asymmetric" : "")}{(groups is null ? "" : " reordered")}";

    internal override PackedTiles Tiles { get; }

    internal override RowForm Form => form.Row;

    internal override int CodeBits => form.CodeBits;

    internal override int RowBytes => 0;

    private string Kind => form.Row.Scales is null || form.Row.GroupColumns >= Columns
        ? form.Row.Codes.ToString().ToLowerInvariant()
        : $"{form.Row.Codes.ToString().ToLowerInvariant()} {(form.Row.ScaleRows > 1 ? $"{form.Row.ScaleRows}x" : "g")}{form.Row.GroupColumns}";

    internal override int[]? ReadGroupIndex()
    {
        if (groups is null) return null;
        var found = new int[Columns];
        Read(groups, MemoryMarshal.AsBytes(found.AsSpan()));
        var count = Form.Groups(Columns);
        var bad = Array.FindIndex(found, g => g < 0 || g >= count);
        return bad < 0 ? found : throw ModuleTensors.Bad(groups, $"expected groups from 0 to {count - 1}, found {found[bad]} at index {bad}");
    }

    internal override void ReadRows(int first, Span<byte> into) => throw NotByRows();

    internal override void ReadScales(Span<float> into) => throw NotByRows();

    internal override float[] Dequantize() => throw NotByRows();

    private BadInputException NotByRows() =>
        new(file, Name, "expected rows as a checkpoint stores them, found tiles: a packed model is run, not rewritten; " +
            "take the folder it was packed from");

    private static TiledModule? TryRead(ModuleTensors module)
    {
        if (module.Find(TileForm.Tiles) is not { Tiles: { } form } tiles) return null;
        if (form.Rows != module.Rows || form.Columns != module.Columns)
            throw ModuleTensors.Bad(tiles, $"expected a matrix [{module.Rows}, {module.Columns}], found [{form.Rows}, {form.Columns}]");
        var found = new TiledModule(module, tiles, form);
        Check(tiles, DType.U32);
        Expect(module, found.Tiles.Scales, TileForm.Scales, form.Row.Scales);
        Expect(module, found.Tiles.Zeros, TileForm.Zeros, form.Row.ZeroPoints ? DType.U8 : null);
        if (found.groups is { } groups && (groups.Type != DType.I32 || !groups.Shape.AsSpan().SequenceEqual([module.Columns])))
            throw ModuleTensors.Bad(groups, $"expected I32 [{module.Columns}], found {groups.Type.FileName()} {groups.ShapeText}");
        return found;
    }

    private static void Expect(ModuleTensors module, TensorEntry? tensor, string suffix, DType? type)
    {
        if (tensor is null && type is null) return;
        if (tensor is null) throw module.Missing(suffix, $"expected this tensor beside {TileForm.Tiles}, found none");
        if (type is not { } wanted) throw ModuleTensors.Bad(tensor, $"expected none, as {PackedHeader.WeightsKey} says, found {tensor.ShapeText}");
        Check(tensor, wanted);
    }

    private static void Check(TensorEntry tensor, DType type)
    {
        if (tensor.Type != type || tensor.Shape is not [_, _, 16])
            throw ModuleTensors.Bad(tensor, $"expected {type.FileName()} [tiles, n, 16], found {tensor.Type.FileName()} {tensor.ShapeText}");
    }
}
