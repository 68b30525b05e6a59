using System.Text;
using Quilt.Runtime;

namespace Quilt.Hosting.OpenAi;

/// <summary>A part of a reply of one kind: a stretch of thinking, a stretch of text, or a call.</summary>
/// <param name="index">Its place.</param>
/// <param name="kind">What it is.</param>
/// <param name="name">The tool's name, of a call.</param>
internal sealed class ReplyBlock(int index, BlockKind kind, string name)
{
    private readonly StringBuilder text = new();
    private string? whole;

    /// <summary>Its place, counted from 0.</summary>
    public int Index { get; } = index;

    /// <summary>What it is.</summary>
    public BlockKind Kind { get; } = kind;

    /// <summary>The tool's name, of a call.</summary>
    public string Name { get; } = name;

    /// <summary>24 hexadecimal digits, for ids.</summary>
    public string Key { get; } = Ids.New(12);

    /// <summary>The text; arguments as JSON, of a call.</summary>
    public string Text => whole ??= text.ToString();

    /// <summary>Whether the reply went on behind it, or ended as it should.</summary>
    public bool IsComplete { get; set; }

    /// <summary>The tokens of its text, where they are kept.</summary>
    public List<TokenPiece> Tokens { get; } = [];

    /// <summary>More of it.</summary>
    public void Append(string more)
    {
        text.Append(more);
        whole = null;
    }
}

/// <summary>Kinds of <see cref="ReplyBlock"/>.</summary>
internal enum BlockKind
{
    /// <summary>Thinking.</summary>
    Thinking,

    /// <summary>Text.</summary>
    Text,

    /// <summary>A call.</summary>
    Call,
}

/// <summary>What a part of a reply does to its blocks, in this order.</summary>
/// <param name="Closed">Is over; null: none.</param>
/// <param name="Opened">Begins; null: none.</param>
/// <param name="Grown">Becomes longer; null: none.</param>
/// <param name="Delta">By this.</param>
/// <param name="Tokens">The tokens of it, where they are kept.</param>
internal readonly record struct BlockChange(ReplyBlock? Closed, ReplyBlock? Opened, ReplyBlock? Grown, string Delta,
    IReadOnlyList<TokenPiece>? Tokens);
