using System.Diagnostics;
using System.Text;

namespace Quilt.Kernels.Devices;

/// <summary>Hears what ILGPU traces while it loads a kernel: the words of the driver's compiler, which its exceptions leave out.</summary>
internal sealed class DriverLog : TraceListener
{
    private readonly StringBuilder text = new();

    public DriverLog() => Trace.Listeners.Add(this);

    /// <summary>What was said so far, on one line.</summary>
    public string Text => string.Join(' ', text.ToString().Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));

    public override void Write(string? message) => text.Append(message);

    public override void WriteLine(string? message) => text.AppendLine(message);

    protected override void Dispose(bool disposing)
    {
        Trace.Listeners.Remove(this);
        base.Dispose(disposing);
    }
}
