namespace Quilt.Formats.Chat.Replies;

/// <summary>A tool that the model was told of.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Parameters">What each of its parameters may be, by their names.</param>
/// <param name="Required">The parameters without which it cannot be called.</param>
internal sealed record DeclaredTool(string Name, IReadOnlyDictionary<string, ValueTypes> Parameters, IReadOnlyCollection<string> Required);
