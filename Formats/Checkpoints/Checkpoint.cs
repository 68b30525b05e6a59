using Quilt.Formats.Tensors;

namespace Quilt.Formats.Checkpoints;

/// <summary>
/// A model folder, opened once: settings, and tensors by their official names, whatever names the files use. Opening reads headers only;
/// a tensor's bytes are read when asked for, from any number of threads.
/// </summary>
public sealed class Checkpoint : IDisposable
{
    private readonly CheckpointFiles files;
    private readonly WarningList warnings;
    private readonly ModuleReader modules;

    private Checkpoint(string folder, ModelConfig config, GenerationDefaults generation, CheckpointFiles files,
        Dictionary<string, TensorEntry> tensors, WarningList warnings)
    {
        (Folder, Config, Generation, Tensors, this.files, this.warnings) = (folder, config, generation, tensors, files, warnings);
        modules = new ModuleReader(tensors, QuantConfigReader.Read(config, warnings), config.ModelType, folder, warnings);
    }

    /// <summary>Full path.</summary>
    public string Folder { get; }

    /// <summary>config.json.</summary>
    public ModelConfig Config { get; }

    /// <summary>generation_config.json.</summary>
    public GenerationDefaults Generation { get; }

    /// <summary>Tensors by official name.</summary>
    public IReadOnlyDictionary<string, TensorEntry> Tensors { get; }

    /// <summary>What looks wrong but does not keep the checkpoint from loading, so far: modules add to it as they are asked for.</summary>
    public IReadOnlyList<string> Warnings => warnings.ToLines();

    /// <summary>Opens a folder: config.json, and the safetensors files its index names (or model.safetensors).</summary>
    /// <exception cref="BadInputException">Something is missing or breaks its format; the message names the file and the tensor or key.</exception>
    public static Checkpoint Open(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        folder = Path.GetFullPath(folder);
        if (!Directory.Exists(folder))
            throw new BadInputException(folder, null, File.Exists(folder) ? "expected a checkpoint folder, found a file" : "no such folder");
        var warnings = new WarningList();
        var config = ModelConfig.Read(Path.Combine(folder, ModelConfig.FileName));
        var generation = GenerationDefaults.Read(folder);
        var files = CheckpointFiles.Open(folder, warnings);
        try
        {
            return new Checkpoint(folder, config, generation, files, Named(config.ModelType, files.Tensors), warnings);
        }
        catch
        {
            files.Dispose();
            throw;
        }
    }

    /// <summary>How a linear module is stored, with the shapes of all its tensors checked.</summary>
    /// <param name="name">Official path without suffix, e.g. model.layers.0.self_attn.q_proj.</param>
    /// <param name="rows">Outputs the architecture expects.</param>
    /// <param name="columns">Inputs the architecture expects.</param>
    /// <exception cref="BadInputException">A tensor is missing, has another shape or type, or contradicts another.</exception>
    public StoredModule Module(string name, int rows, int columns)
    {
        CheckShape(name, rows, columns);
        return modules.Read(name, rows, columns);
    }

    /// <summary>A tensor that must be there in one dimension of <paramref name="length"/> floating-point values, as float32.</summary>
    /// <exception cref="BadInputException">It is missing, has another shape or type, or a value that is no finite number.</exception>
    public float[] Vector(string name, int length)
    {
        if (!Tensors.TryGetValue(name, out var tensor)) throw new BadInputException(Folder, name, "expected this tensor, found none");
        if (tensor.Shape is not [var found] || found != length)
            throw new BadInputException(tensor.File, name, $"expected shape [{length}], found {tensor.ShapeText}");
        if (tensor.Type is not (DType.F32 or DType.BF16 or DType.F16))
            throw new BadInputException(tensor.File, name, $"expected F32, BF16 or F16, found {tensor.Type.FileName()}");
        var bytes = new byte[tensor.Length];
        Read(tensor, bytes);
        var values = new float[length];
        TensorValues.ToFloats(tensor.Type, bytes, values);
        var bad = Array.FindIndex(values, value => !float.IsFinite(value));
        return bad < 0
            ? values
            : throw new BadInputException(tensor.File, name,
                FormattableString.Invariant($"expected finite values, found {values[bad]} at index {bad}"));
    }

    /// <summary>Reads <paramref name="into"/>.Length bytes of a tensor of this checkpoint, from byte <paramref name="start"/> of it.</summary>
    /// <exception cref="BadInputException">The file has become shorter, or the disk failed.</exception>
    public void Read(TensorEntry tensor, Span<byte> into, long start = 0) => files.Read(tensor, into, start);

    /// <summary>Adds a line to <see cref="Warnings"/>.</summary>
    internal void Warn(string about, string problem) => warnings.Add(about, problem);

    /// <inheritdoc/>
    public void Dispose() => files.Dispose();

    private static Dictionary<string, TensorEntry> Named(string modelType, List<TensorEntry> found)
    {
        var tensors = new Dictionary<string, TensorEntry>(found.Count, StringComparer.Ordinal);
        foreach (var entry in found)
        {
            var name = TensorNames.Official(modelType, entry.Name);
            var official = ReferenceEquals(name, entry.Name) ? entry : entry with { Name = name };
            if (!TensorNames.MayBeFused(modelType, official)) Add(official, entry);
            else foreach (var part in TensorNames.Unfused(modelType, official)) Add(part, entry);
        }
        return tensors;

        void Add(TensorEntry part, TensorEntry stored)
        {
            if (!tensors.TryAdd(part.Name, part))
                throw new BadInputException(stored.File, stored.Name, $"means {part.Name}, which another tensor holds already");
        }
    }

    // Written as I64 or I32; where it is missing the shape follows from the architecture alone.
    private void CheckShape(string name, int rows, int columns)
    {
        if (!Tensors.TryGetValue($"{name}.weight_shape", out var tensor)) return;
        if (tensor.Type is not (DType.I32 or DType.I64) || tensor.Shape is not [2])
            throw new BadInputException(tensor.File, tensor.Name, $"expected I64 or I32 [2], found {tensor.Type.FileName()} {tensor.ShapeText}");
        Span<byte> bytes = stackalloc byte[(int)tensor.Length];
        Read(tensor, bytes);
        var (down, across) = tensor.Type == DType.I64
            ? (BitConverter.ToInt64(bytes), BitConverter.ToInt64(bytes[8..]))
            : (BitConverter.ToInt32(bytes), BitConverter.ToInt32(bytes[4..]));
        if (down != rows || across != columns)
            throw new BadInputException(tensor.File, tensor.Name, $"expected [{rows}, {columns}], found [{down}, {across}]");
    }
}
