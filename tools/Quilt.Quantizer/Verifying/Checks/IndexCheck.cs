using Quilt.Formats;
using Quilt.Formats.Checkpoints;
using Quilt.Formats.Tensors;

namespace Quilt.Quantizer.Verifying.Checks;

/// <summary>
/// 9: the index names every file and tensor that is there, its total is right, and files have the mark without which others refuse them.
/// </summary>
internal sealed class IndexCheck() : Check(9, "index")
{
    public override CheckResult Run(CheckSubject subject) => Run(subject.Model, subject.OpeningWarnings, subject.Cancel);

    /// <summary>The same of a checkpoint whose architecture is not known.</summary>
    public CheckResult Run(Checkpoint model, IReadOnlyList<string> warnings, CancellationToken cancel)
    {
        var findings = new Findings();
        // What was noticed while the folder was opened: tensors that no index lists, a wrong total. Of config.json another check tells.
        foreach (var warning in warnings.Where(warning => !warning.StartsWith(model.Config.Source, StringComparison.Ordinal)))
        {
            var colon = warning.IndexOf(": ", StringComparison.Ordinal);
            findings.Warn(warning[..Math.Max(colon, 0)], warning[(colon + 2)..]);
        }
        var files = model.Tensors.Select(tensor => tensor.File).Distinct().Order(StringComparer.Ordinal).ToList();
        foreach (var path in files)
        {
            cancel.ThrowIfCancellationRequested();
            using var file = SafeTensorsFile.Open(path);
            if (file.Metadata.GetValueOrDefault("format") != "pt")
                findings.Warn(Path.GetFileName(path), "expected \"format\": \"pt\" in its header, without which transformers refuses it, found " +
                    (file.Metadata.TryGetValue("format", out var other) ? $"\"{other}\"" : "none"));
        }
        return findings.Conclude(this, FormattableString.Invariant(
            $"{files.Count} {(files.Count == 1 ? "file" : "files")}, {model.Tensors.Sum(tensor => tensor.Length)} bytes of tensors"));
    }
}
