using System.Text;
using Quilt.Formats;
using Quilt.Formats.Checkpoints;
using Quilt.Formats.Tensors;

namespace Quilt.Quantizer.Output;

/// <summary>
/// The folder of a result, which appears whole or not at all. Until then all work is in <c>OUT.partial</c>: a file a part below <c>parts</c>, the
/// shards that are whole, <c>progress.json</c> with what it all is made of. Files appear whole too, so whatever stops the work, at any moment, the
/// next run finds out from the names that are there how far it came, and goes on to the same bytes.
/// </summary>
internal sealed class OutputFolder : IDisposable
{
    /// <summary>Bytes of a shard, at most, where its tensors are not larger.</summary>
    public const long ShardBytes = 5_000_000_000;

    private static readonly Dictionary<string, string> Metadata = new() { ["format"] = "pt" };
    private readonly string folder;
    private readonly string partial;
    private readonly IReadOnlyDictionary<string, OutputPart> parts;
    private readonly IReadOnlyList<Shard> shards;
    private FileStream? held;

    private OutputFolder(string folder, IReadOnlyList<OutputPart> parts, long shardBytes)
    {
        (this.folder, partial) = (folder, folder + ".partial");
        this.parts = parts.ToDictionary(part => part.Name, StringComparer.Ordinal);
        shards = ShardPlan.Cut(parts, shardBytes);
    }

    /// <summary>For the caller's own files; they last until the result is whole.</summary>
    public string WorkFolder => Path.Combine(partial, "work");

    private string PartsFolder => Path.Combine(partial, "parts");

    private string LockFile => Path.Combine(partial, "lock");

    /// <summary>Begins, or goes on.</summary>
    /// <param name="path">The result's folder, which must not exist or be empty.</param>
    /// <param name="parts">All that it will hold, in the order of the model.</param>
    /// <param name="fingerprint">What it is made of.</param>
    /// <param name="workBytes">Room that <see cref="WorkFolder"/> will take.</param>
    /// <param name="shardBytes">Bytes of a shard, at most, where its tensors are not larger.</param>
    /// <param name="cancel">Stops.</param>
    /// <exception cref="BadInputException">
    /// Something is in the way; what was begun there is something else; another process is at work; the disk has not the room.
    /// </exception>
    public static OutputFolder Open(string path, IReadOnlyList<OutputPart> parts, Fingerprint fingerprint, long workBytes = 0,
        long shardBytes = ShardBytes, CancellationToken cancel = default)
    {
        path = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        if (File.Exists(path)) throw new BadInputException(path, null, "expected a new or empty folder, found a file");
        if (Directory.Exists(path) && Directory.EnumerateFileSystemEntries(path).Any())
            throw new BadInputException(path, null, "expected a new or empty folder, found files in it");
        var output = new OutputFolder(path, parts, shardBytes);
        try
        {
            output.Begin(fingerprint, workBytes, cancel);
            return output;
        }
        catch
        {
            output.Dispose();
            throw;
        }
    }

    /// <summary>Whether a part was written, now or by an earlier run.</summary>
    public bool HasPart(string name) => File.Exists(PartFile(name)) || ShardsOf(parts[name]).All(IsWhole);

    /// <summary>Writes a part; shards whose parts are all there are put together.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="tensors">All of its tensors, in any order.</param>
    /// <param name="cancel">Stops; nothing of the part is then there.</param>
    /// <exception cref="ArgumentException">They are not the part's tensors.</exception>
    public void WritePart(string name, IReadOnlyList<TensorToWrite> tensors, CancellationToken cancel = default)
    {
        var expected = parts[name].Tensors.ToDictionary(tensor => tensor.Name, StringComparer.Ordinal);
        if (tensors.Count != expected.Count || !tensors.All(tensor => expected.TryGetValue(tensor.Name, out var its) && its.Is(tensor)))
            throw new ArgumentException($"The tensors are not those that {name} was said to have.", nameof(tensors));
        SafeTensorsWriter.Write(PartFile(name), tensors, Metadata, cancel);
        Settle(cancel);
    }

    /// <summary>Puts the settings beside the weights and gives the folder its name. All parts must be there.</summary>
    /// <param name="source">The folder whose other files come along: tokenizer, template, defaults, texts.</param>
    /// <param name="config">config.json.</param>
    /// <param name="recipe">recipe.yaml; null: none.</param>
    /// <param name="cancel">Stops.</param>
    public void Finish(string source, byte[] config, string? recipe, CancellationToken cancel = default)
    {
        Settle(cancel);
        if (shards.FirstOrDefault(shard => !IsWhole(shard)) is { } missing)
            throw new InvalidOperationException($"{missing.File} is not whole: parts were not written.");
        SideFiles.Copy(source, partial, cancel);
        Write(ModelConfig.FileName, config);
        if (recipe is not null) Write("recipe.yaml", Encoding.UTF8.GetBytes(recipe));
        ShardPlan.Index(shards)?.Write(Path.Combine(partial, ShardIndex.FileName));
        cancel.ThrowIfCancellationRequested();

        if (Directory.Exists(WorkFolder)) Directory.Delete(WorkFolder, recursive: true);
        Directory.Delete(PartsFolder, recursive: true);
        Dispose();
        if (Directory.Exists(folder)) Directory.Delete(folder);
        Directory.Move(partial, folder);
        // Last: as long as the folder is not whole, it says what it is.
        File.Delete(Path.Combine(folder, ProgressFile.Name));
    }

    /// <summary>Leaves what is not finished where it is.</summary>
    public void Dispose()
    {
        held?.Dispose();
        held = null;
    }

    private void Begin(Fingerprint fingerprint, long workBytes, CancellationToken cancel)
    {
        if (Directory.Exists(partial)) ProgressFile.Check(partial, fingerprint);
        DiskRoom.Check(Path.GetDirectoryName(folder) ?? folder, BytesToCome(workBytes));
        Directory.CreateDirectory(PartsFolder);
        Directory.CreateDirectory(WorkFolder);
        Hold();
        ProgressFile.Write(partial, fingerprint);
        // What a run that was killed had begun to write.
        foreach (var file in Directory.EnumerateFiles(partial, "*.tmp").Concat(Directory.EnumerateFiles(PartsFolder, "*.tmp"))) File.Delete(file);
        Settle(cancel);
    }

    private void Write(string name, byte[] content) => AtomicFile.Write(Path.Combine(partial, name), stream => stream.Write(content));

    private void Hold()
    {
        try
        {
            held = new FileStream(LockFile, FileMode.OpenOrCreate, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose);
        }
        catch (IOException e)
        {
            throw new BadInputException(LockFile, null, "expected to be alone at work there, found another process", e);
        }
    }

    // All that is not there yet, and, for a moment, a shard beside the parts it is made of, of which the first and the last may go into others too.
    private long BytesToCome(long workBytes)
    {
        var missing = shards.Where(shard => !IsWhole(shard)).ToList();
        if (missing.Count == 0) return 0;
        var there = parts.Values.Where(part => File.Exists(PartFile(part.Name))).Sum(part => part.Bytes);
        return workBytes + Math.Max(missing.Sum(shard => shard.Bytes) - there, 0) + missing.Max(shard => shard.Bytes)
            + parts.Values.Max(part => part.Bytes);
    }

    // Puts together the shards whose parts are there, and removes parts that no shard needs any more.
    private void Settle(CancellationToken cancel)
    {
        foreach (var shard in shards)
        {
            if (!IsWhole(shard) && shard.Parts.All(part => File.Exists(PartFile(part.Name)))) Assemble(shard, cancel);
        }
        foreach (var part in parts.Values)
        {
            if (File.Exists(PartFile(part.Name)) && ShardsOf(part).All(IsWhole)) File.Delete(PartFile(part.Name));
        }
    }

    private void Assemble(Shard shard, CancellationToken cancel)
    {
        var files = new Dictionary<string, SafeTensorsFile>(StringComparer.Ordinal);
        try
        {
            foreach (var part in shard.Parts) files.Add(part.Name, SafeTensorsFile.Open(PartFile(part.Name)));
            SafeTensorsWriter.Write(Path.Combine(partial, shard.File),
                [.. shard.Tensors.Select(tensor => Taken(files[tensor.Part.Name], tensor.Tensor))], Metadata, cancel);
        }
        finally
        {
            foreach (var file in files.Values) file.Dispose();
        }
    }

    private static TensorToWrite Taken(SafeTensorsFile file, OutputTensor tensor) => tensor.With(to =>
    {
        var buffer = new byte[(int)Math.Min(1 << 22, tensor.Bytes)];
        for (var at = 0L; at < tensor.Bytes; at += buffer.Length)
        {
            var piece = buffer.AsSpan(0, (int)Math.Min(buffer.Length, tensor.Bytes - at));
            file.Read(file.Tensors[tensor.Name], piece, at);
            to.Write(piece);
        }
    });

    private IEnumerable<Shard> ShardsOf(OutputPart part) => shards.Where(shard => shard.Parts.Contains(part));

    private bool IsWhole(Shard shard) => File.Exists(Path.Combine(partial, shard.File));

    private string PartFile(string name) => Path.Combine(PartsFolder, name + ".safetensors");
}
