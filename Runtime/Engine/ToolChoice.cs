namespace Quilt.Runtime;

/// <summary>
/// Which tools a reply has to call: it is then nothing but calls, in the model's own form, with arguments that their schemas allow.
/// </summary>
public sealed record ToolChoice
{
    private ToolChoice(string? tool) => Tool = tool;

    /// <summary>Any of the tools, at least one call.</summary>
    public static ToolChoice Required { get; } = new((string?)null);

    /// <summary>The one tool that is called; null: any.</summary>
    public string? Tool { get; }

    /// <summary>This tool.</summary>
    /// <param name="tool">Its name.</param>
    public static ToolChoice Named(string tool)
    {
        ArgumentException.ThrowIfNullOrEmpty(tool);
        return new(tool);
    }
}
