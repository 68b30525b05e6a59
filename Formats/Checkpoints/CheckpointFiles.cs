using Quilt.Formats.Tensors;

namespace Quilt.Formats.Checkpoints;

/// <summary>
/// The safetensors files of a folder, open: those its index names, or the one file without an index. What else lies there is never looked at.
/// </summary>
internal sealed class CheckpointFiles : IDisposable
{
    private readonly Dictionary<string, SafeTensorsFile> files = new(StringComparer.Ordinal);

    private CheckpointFiles()
    {
    }

    /// <summary>Every tensor under the name in its file.</summary>
    public List<TensorEntry> Tensors { get; } = [];

    public static CheckpointFiles Open(string folder, WarningList warnings)
    {
        var all = new CheckpointFiles();
        try
        {
            var indexPath = Path.Combine(folder, ShardIndex.FileName);
            var single = Path.Combine(folder, "model.safetensors");
            if (File.Exists(indexPath)) all.Add(folder, indexPath, ShardIndex.Read(indexPath), warnings);
            else if (File.Exists(single)) all.Tensors.AddRange(all.Add(single).Tensors.Values);
            else throw new BadInputException(folder, null, $"holds no weights: expected {ShardIndex.FileName} or model.safetensors, found neither");
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
        return file;
    }

    private void Add(string folder, string indexPath, ShardIndex index, WarningList warnings)
    {
        var home = new Dictionary<string, string>(index.WeightMap.Count, StringComparer.Ordinal);
        long bytes = 0;
        foreach (var name in index.Files)
        {
            var file = Add(Path.Combine(folder, name));
            foreach (var tensor in file.Tensors.Values)
            {
                if (!home.TryAdd(tensor.Name, name))
                    throw new BadInputException(indexPath, tensor.Name, $"lies in two files, {home[tensor.Name]} and {name}");
                bytes += tensor.Length;
                if (index.WeightMap.ContainsKey(tensor.Name)) Tensors.Add(tensor);
                else warnings.Add($"{name}: {tensor.Name}", $"is not listed in {ShardIndex.FileName} and is ignored");
            }
        }
        foreach (var (tensor, file) in index.WeightMap)
        {
            if (!home.TryGetValue(tensor, out var found))
                throw new BadInputException(Path.Combine(folder, file), tensor,
                    $"expected this tensor, which {ShardIndex.FileName} says is here, found none");
            if (found != file) throw new BadInputException(indexPath, tensor, $"expected it in {file}, found it in {found}");
        }
        if (index.TotalSize is { } total && total != bytes)
            warnings.Add(ShardIndex.FileName, $"metadata.total_size is {total}, but the tensors have {bytes} bytes");
    }
}
