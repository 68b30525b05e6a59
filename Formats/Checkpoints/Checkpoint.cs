using Quilt.Formats.Chat;
using Quilt.Formats.Checkpoints.Packed;
using Quilt.Formats.Checkpoints.Storage;
using Quilt.Formats.Tensors;
using Quilt.Formats.Tokenizers;

namespace Quilt.Formats.Checkpoints;

/// <summary>
/// A model as its files have it, opened once: settings, tokenizer, chat template, and tensors by what they are, whatever names the files use. Of
/// weights opening reads headers only; a tensor's bytes are read when asked for, from any number of threads.
/// </summary>
public sealed class Checkpoint : IDisposable
{
    private readonly FolderSettings settings;
    private readonly SafeTensorsFolder files;
    private readonly TensorTable tensors;
    private readonly QuantConfig quantization;
    private readonly WarningList warnings;

    private Checkpoint(string folder, FolderSettings settings, TensorTable tensors, SafeTensorsFolder files, WarningList warnings)
    {
        (Folder, this.settings, this.tensors, this.files, this.warnings) = (folder, settings, tensors, files, warnings);
        quantization = QuantConfigReader.Read(Config, warnings);
    }

    /// <summary>Full path.</summary>
    public string Folder { get; }

    /// <summary>config.json.</summary>
    public ModelConfig Config => settings.Config;

    /// <summary>generation_config.json.</summary>
    public GenerationDefaults Generation => settings.Generation;

    /// <summary>The tokenizer; null where the folder has none.</summary>
    public Tokenizer? Tokenizer => settings.Tokenizer;

    /// <summary>The chat template; null where the folder has none.</summary>
    public ChatTemplate? Template => settings.Template;

    /// <summary>How the model replies, as its template tells; null without one.</summary>
    public string? ReplyDialect => Template?.ReplyDialect;

    /// <summary>
    /// Ids that end a reply: those of generation_config.json and the tokenizer's own; those of config.json only where neither says.
    /// </summary>
    public IReadOnlyList<int> EndTokens => settings.EndTokens;

    /// <summary>All tensors, under the names in their files; those with all experts of a layer in their parts.</summary>
    public IReadOnlyCollection<TensorEntry> Tensors => tensors.All;

    /// <summary>Whether its weights are tiles, to be mapped and not to be read (docs/packing.md).</summary>
    internal bool IsPacked => Packed.Count > 0;

    /// <summary>The tags of packed files by full path; none where the checkpoint is not packed.</summary>
    internal IReadOnlyDictionary<string, PackedHeader> Packed => files.Packed;

    /// <summary>The files of its weights, in the order of their names: full paths.</summary>
    internal IReadOnlyList<string> WeightFiles => files.Files;

    /// <summary>What looks wrong but does not keep the checkpoint from loading, so far: modules add to it as they are asked for.</summary>
    public IReadOnlyList<string> Warnings => warnings.ToLines();

    /// <summary>
    /// Opens a folder: config.json, what it has of generation_config.json, tokenizer and chat template, and the safetensors files its index names (or
    /// model.safetensors). All of them but the weights' bytes are read and checked.
    /// </summary>
    /// <exception cref="BadInputException">Something is missing or breaks its format; the message names the file and the tensor or key.</exception>
    public static Checkpoint Open(string folder) => Open(folder, tolerant: false);

    /// <summary>
    /// The same for those who only look: where tokenizer, chat template or generation_config.json cannot be read, that is a warning, and they are
    /// missing.
    /// </summary>
    /// <exception cref="BadInputException">config.json or the header of a file is missing or breaks its format.</exception>
    public static Checkpoint OpenHeaders(string folder) => Open(folder, tolerant: true);

    /// <summary>How a linear module is stored, with the shapes of all its tensors checked.</summary>
    /// <param name="name">Path without suffix, e.g. model.layers.0.self_attn.q_proj.</param>
    /// <param name="rows">Outputs the architecture expects.</param>
    /// <param name="columns">Inputs the architecture expects.</param>
    /// <exception cref="BadInputException">A tensor is missing, has another shape or type, or contradicts another.</exception>
    public StoredModule Module(string name, int rows, int columns)
    {
        CheckShape($"{name}.weight_shape", rows, columns);
        return StorageReaders.Read(new ModuleTensors(tensors, name, rows, columns, quantization, Folder, warnings));
    }

    /// <summary>A tensor by any name it may go by; null where there is none.</summary>
    public TensorEntry? Find(string name) => tensors.Find(name);

    /// <summary>Whether there is a linear module of this name in a form that a head may have.</summary>
    internal bool HasHead(string module) => Find($"{module}.weight") is not null || Find($"{module}.{TileForm.Tiles}") is not null;

    /// <summary>A tensor that must be there in one dimension of <paramref name="length"/> floating-point values, as float32.</summary>
    /// <exception cref="BadInputException">It is missing, has another shape or type, or a value that is no finite number.</exception>
    public float[] Vector(string name, int length)
    {
        var tensor = Find(name) ?? throw new BadInputException(Folder, name, "expected this tensor, found none");
        if (tensor.Shape is not [var found] || found != length)
            throw new BadInputException(tensor.File, tensor.Label, $"expected shape [{length}], found {tensor.ShapeText}");
        if (tensor.Type is not (DType.F32 or DType.BF16 or DType.F16))
            throw new BadInputException(tensor.File, tensor.Label, $"expected F32, BF16 or F16, found {tensor.Type.FileName()}");
        var bytes = new byte[tensor.Length];
        Read(tensor, bytes);
        var values = new float[length];
        TensorValues.ToFloats(tensor.Type, bytes, values);
        var bad = Array.FindIndex(values, value => !float.IsFinite(value));
        return bad < 0
            ? values
            : throw new BadInputException(tensor.File, tensor.Label,
                FormattableString.Invariant($"expected finite values, found {values[bad]} at index {bad}"));
    }

    /// <summary>Reads <paramref name="into"/>.Length bytes of a tensor of this checkpoint, from byte <paramref name="start"/> of it.</summary>
    /// <exception cref="BadInputException">The file has become shorter, or the disk failed.</exception>
    public void Read(TensorEntry tensor, Span<byte> into, long start = 0) => tensors.Read(tensor, into, start);

    /// <summary>Refuses a packed checkpoint, for those who read weights row by row.</summary>
    /// <exception cref="BadInputException">It is packed.</exception>
    internal void RequireUnpacked()
    {
        if (IsPacked)
            throw new BadInputException(Folder, null, "expected a model that is not packed, found one that is; take the folder that it was packed " +
                "from ('quilt pack --check' holds a packed one to its checksums)");
    }

    /// <summary>Adds a line to <see cref="Warnings"/>.</summary>
    internal void Warn(string about, string problem) => warnings.Add(about, problem);

    /// <inheritdoc/>
    public void Dispose() => files.Dispose();

    private static Checkpoint Open(string folder, bool tolerant)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        folder = Path.GetFullPath(folder);
        if (!Directory.Exists(folder))
            throw new BadInputException(folder, null, File.Exists(folder) ? "expected a checkpoint folder, found a file" : "no such folder");
        var warnings = new WarningList();
        var settings = FolderSettings.Read(folder, warnings, tolerant);
        var files = SafeTensorsFolder.Open(folder, warnings);
        try
        {
            return new Checkpoint(folder, settings, new TensorTable(settings.Config.ModelType, files.Tensors, files.Read), files, warnings);
        }
        catch
        {
            files.Dispose();
            throw;
        }
    }

    // Written as I64 or I32; where it is missing the shape follows from the architecture alone.
    private void CheckShape(string name, int rows, int columns)
    {
        if (Find(name) is not { } tensor) return;
        if (tensor.Type is not (DType.I32 or DType.I64) || tensor.Shape is not [2])
            throw new BadInputException(tensor.File, tensor.Label, $"expected I64 or I32 [2], found {tensor.Type.FileName()} {tensor.ShapeText}");
        Span<byte> bytes = stackalloc byte[2 * sizeof(long)];
        bytes = bytes[..(int)tensor.Length];
        Read(tensor, bytes);
        var (down, across) = tensor.Type == DType.I64
            ? (BitConverter.ToInt64(bytes), BitConverter.ToInt64(bytes[8..]))
            : (BitConverter.ToInt32(bytes), BitConverter.ToInt32(bytes[4..]));
        if (down != rows || across != columns)
            throw new BadInputException(tensor.File, tensor.Label, $"expected [{rows}, {columns}], found [{down}, {across}]");
    }
}
