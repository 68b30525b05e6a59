using Quilt.Formats.Tokenizers.Unicode;

namespace Quilt.Formats.Tokenizers.Patterns;

/// <summary>What one instruction of a compiled pattern does; A and B are program addresses unless said otherwise.</summary>
internal enum Operation
{
    /// <summary>The match ends here.</summary>
    Accept,
    /// <summary>One code point of Set.</summary>
    Set,
    /// <summary>From A to B code points of Set, as many as possible, giving them back one by one.</summary>
    Loop,
    /// <summary>From A to B code points of Set, as many as possible, giving nothing back.</summary>
    PossessiveLoop,
    /// <summary>Goes to A.</summary>
    Jump,
    /// <summary>Goes to A, and later to B if that fails.</summary>
    Split,
    /// <summary>Goes to A unless the next code point is in Set.</summary>
    SkipUnless,
    /// <summary>Goes to those of the Dispatch's targets that can begin with the next code point, in order.</summary>
    Choose,
    /// <summary>Runs the next instructions as a pattern of their own (B code points back, where B is not negative), then goes to A.</summary>
    Look,
    /// <summary>As Look, and fails where that succeeds.</summary>
    LookNot,
    /// <summary>Runs the next instructions as a pattern of their own, then goes on behind its match at A.</summary>
    Atomic,
    /// <summary>A place without width; A is an <see cref="Patterns.Anchor"/>.</summary>
    Anchor,
}

/// <summary>One instruction.</summary>
internal readonly record struct Instruction(Operation Operation, int A = 0, int B = 0, CodePointSet? Set = null, Dispatch? Dispatch = null)
{
    /// <summary>Set, for the 128 characters that most texts consist of.</summary>
    public readonly bool[]? Ascii = Set?.Ascii;
}

/// <summary>The alternatives of a choice: bit i of a mask says that alternative i, at Targets[i], can begin with what follows.</summary>
internal sealed record Dispatch(int[] Targets, ulong[] ForAscii, ulong ForOther, ulong ForEnd)
{
    public const int Limit = 64;
}
