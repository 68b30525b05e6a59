namespace Quilt.Cli;

/// <summary>
/// The small model that comes with the program: MiniMax-M2's architecture with FP8 attention and INT4 experts, 8.4 million parameters.
/// </summary>
internal static class DemoModel
{
    /// <summary>Its checkpoint folder.</summary>
    public static string Folder { get; } = Path.Combine(AppContext.BaseDirectory, "Demo");
}
