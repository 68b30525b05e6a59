using Quilt.Formats.Chat.Replies;
using Quilt.Formats.Tokenizers;

namespace Quilt.Formats.Grammars;

/// <summary>Which calls a grammar of tool calls wants.</summary>
public sealed record ToolCallOptions
{
    /// <summary>
    /// Whether the reply is calls and nothing else (OpenAI's <c>required</c>, or one tool by name); otherwise it is free text, in which calls,
    /// wherever the model begins one, are held to their tools' schemas (<c>auto</c> with strict tools).
    /// </summary>
    public bool IsRequired { get; init; }

    /// <summary>The only tool that may be called; null: any of them.</summary>
    public string? Tool { get; init; }

    /// <summary>Whether there may be several calls.</summary>
    public bool IsParallel { get; init; } = true;

    /// <summary>The tokenizer that the grammar is for: markers that are special tokens of it have to be written as these. Null: as text.</summary>
    public Tokenizer? Tokenizer { get; init; }

    /// <summary>How JSON is written.</summary>
    public JsonGrammarOptions Json { get; init; } = new();

    /// <summary>How the reply's parser makes JSON of arguments; it has to be what <see cref="ReplyOptions.Arguments"/> will be.</summary>
    public ArgumentRules Arguments { get; init; } = new();
}
