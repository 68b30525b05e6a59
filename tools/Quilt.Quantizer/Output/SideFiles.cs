using Quilt.Formats.Checkpoints;

namespace Quilt.Quantizer.Output;

/// <summary>The files of a checkpoint's folder that hold no weights: tokenizer, template, defaults, code, texts.</summary>
internal static class SideFiles
{
    private static readonly HashSet<string> Weights = new(StringComparer.OrdinalIgnoreCase)
    {
        ".safetensors", ".bin", ".pt", ".pth", ".ckpt", ".gguf", ".ggml", ".h5", ".msgpack", ".onnx", ".npz", ".tmp",
    };

    private static readonly string[] OtherWork = [ModelConfig.FileName, ProgressFile.Name];

    /// <summary>
    /// Copies them; what is there under their names is replaced. Hidden folders, such as of a download, and folders with another model, such as the
    /// one that is being written, are passed over.
    /// </summary>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static void Copy(string from, string to, CancellationToken cancel)
    {
        foreach (var file in Directory.EnumerateFiles(from).Order(StringComparer.Ordinal))
        {
            cancel.ThrowIfCancellationRequested();
            var name = Path.GetFileName(file);
            if (Weights.Contains(Path.GetExtension(name)) || name.EndsWith(".index.json", StringComparison.OrdinalIgnoreCase) || name.StartsWith('.')
                || name == ProgressFile.Name)
                continue;
            File.Copy(file, Path.Combine(to, name), overwrite: true);
        }
        foreach (var folder in new DirectoryInfo(from).EnumerateDirectories().OrderBy(folder => folder.Name, StringComparer.Ordinal))
        {
            // A link could lead back up.
            if (folder.Name.StartsWith('.') || folder.LinkTarget is not null) continue;
            if (OtherWork.Any(name => File.Exists(Path.Combine(folder.FullName, name)))) continue;
            var below = Path.Combine(to, folder.Name);
            Directory.CreateDirectory(below);
            Copy(folder.FullName, below, cancel);
        }
    }
}
