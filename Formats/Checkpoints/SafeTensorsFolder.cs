using Quilt.Formats.Checkpoints.Packed;
using Quilt.Formats.Tensors;

namespace Quilt.Formats.Checkpoints;

/// <summary>
/// The safetensors files of a folder, open: those its index names, or the one file without an index. What else lies there is never looked at.
/// </summary>
internal sealed class SafeTensorsFolder : IDisposable
{
    private const int CompareBytes = 1 << 18;
    private readonly Dictionary<string, SafeTensorsFile> files = new(StringComparer.Ordinal);

    private SafeTensorsFolder()
    {
    }

    /// <summary>Every tensor as its file has it.</summary>
    public List<TensorEntry> Tensors { get; } = [];

    /// <summary>The tag of its packed files, by their paths; empty where none is packed.</summary>
    public Dictionary<string, PackedHeader> Packed { get; } = new(StringComparer.Ordinal);

    /// <summary>Full paths of all files, in the order of their names.</summary>
    public IReadOnlyList<string> Files => [.. files.Keys.Order(StringComparer.Ordinal)];

    public static SafeTensorsFolder Open(string folder, WarningList warnings)
    {
        var all = new SafeTensorsFolder();
        try
        {
            var indexPath = Path.Combine(folder, ShardIndex.FileName);
            var single = Path.Combine(folder, "model.safetensors");
            if (File.Exists(indexPath)) all.Add(folder, ShardIndex.Read(indexPath), warnings);
            else if (File.Exists(single)) all.Tensors.AddRange(all.Parts(all.Add(single)));
            else throw new BadInputException(folder, null, $"holds no weights: expected {ShardIndex.FileName} or model.safetensors, found neither");
            all.CheckSources();
            return all;
        }
        catch
        {
            all.Dispose();
            throw;
        }
    }

    public void Read(TensorEntry entry, Span<byte> into, long start)
    {
        if (entry.Strides is null) files[entry.File].Read(entry, into, start);
        else StridedReader.Read(files[entry.File], entry, into, start);
    }

    public void Dispose()
    {
        foreach (var file in files.Values) file.Dispose();
    }

    private SafeTensorsFile Add(string path)
    {
        var file = SafeTensorsFile.Open(path);
        files.Add(file.Path, file);
        if (PackedHeader.IsIn(file)) Packed.Add(file.Path, PackedHeader.Read(file));
        return file;
    }

    private IEnumerable<TensorEntry> Parts(SafeTensorsFile file) =>
        Packed.TryGetValue(file.Path, out var header) ? PackedTensors.Of(file, header) : file.Tensors.Values;

    // Files of two models, or of one model before and after a change, can have the same shapes.
    private void CheckSources()
    {
        if (Packed.Count == 0) return;
        var (path, first) = Packed.OrderBy(file => file.Key, StringComparer.Ordinal).First();
        foreach (var file in Files)
        {
            if (!Packed.TryGetValue(file, out var header))
                throw new BadInputException(file, null, $"expected a packed file, as {Path.GetFileName(path)} is one, found another");
            if (header.Source != first.Source)
                throw new BadInputException(file, PackedHeader.SourceKey,
                    $"expected {first.Source}, as {Path.GetFileName(path)} has, found {header.Source}: the two are of different models");
        }
    }

    private void Add(string folder, ShardIndex index, WarningList warnings)
    {
        var opened = index.Files.ToDictionary(name => name, name => Add(Path.Combine(folder, name)), StringComparer.Ordinal);
        long bytes = 0;
        foreach (var (name, file) in opened)
        {
            foreach (var tensor in file.Tensors.Values)
            {
                bytes += tensor.Length;
                if (!index.WeightMap.TryGetValue(tensor.Name, out var home))
                    warnings.Add($"{name}: {tensor.Name}", $"is not listed in {ShardIndex.FileName} and is ignored");
                else if (home == name) continue;
                else CheckCopy(tensor, name, opened[home], home, warnings);
            }
        }
        foreach (var (name, file) in opened)
            Tensors.AddRange(Parts(file).Where(tensor => index.WeightMap.TryGetValue(tensor.Name, out var home) && home == name));
        foreach (var (tensor, name) in index.WeightMap)
        {
            if (!opened[name].Tensors.ContainsKey(tensor))
                throw new BadInputException(Path.Combine(folder, name), tensor,
                    $"expected this tensor, which {ShardIndex.FileName} says is here, found none");
        }
        if (index.TotalSize is { } total && total != bytes)
            warnings.Add(ShardIndex.FileName, $"metadata.total_size is {total}, but the tensors have {bytes} bytes");
    }

    // A tensor in a file that is not the one the index names for it. A copy of the one that counts does no harm; with other values one of the two is
    // wrong, and nobody can tell which.
    private void CheckCopy(TensorEntry copy, string name, SafeTensorsFile home, string homeName, WarningList warnings)
    {
        if (!home.Tensors.TryGetValue(copy.Name, out var tensor)) return;       // complained about with the index's own entry
        if (copy.Type == tensor.Type && copy.Shape.AsSpan().SequenceEqual(tensor.Shape) && SameBytes(copy, tensor))
        {
            warnings.Add($"{name}: {copy.Name}",
                $"lies in {homeName} too, the same there; {ShardIndex.FileName} names that file, and it is taken from it");
            return;
        }
        throw new BadInputException(copy.File, copy.Name,
            $"expected what {homeName} holds under this name, where {ShardIndex.FileName} says it is, found another tensor: one of the two is wrong");
    }

    private bool SameBytes(TensorEntry a, TensorEntry b)
    {
        byte[] one = new byte[Math.Min(CompareBytes, a.Length)], other = new byte[one.Length];
        for (long at = 0; at < a.Length; at += one.Length)
        {
            var count = (int)Math.Min(one.Length, a.Length - at);
            Read(a, one.AsSpan(0, count), at);
            Read(b, other.AsSpan(0, count), at);
            if (!one.AsSpan(0, count).SequenceEqual(other.AsSpan(0, count))) return false;
        }
        return true;
    }
}
