namespace Quilt.Formats.Chat.Jinja;

/// <summary>What a piece of a template is.</summary>
internal enum TokenKind
{
    /// <summary>Text between tags.</summary>
    Data,
    /// <summary>{{</summary>
    PrintStart,
    /// <summary>}}</summary>
    PrintEnd,
    /// <summary>{%</summary>
    TagStart,
    /// <summary>%}</summary>
    TagEnd,
    Name,
    Text,
    Integer,
    Float,
    Operator,
    End,
}

/// <summary>A piece of a template. <see cref="Text"/> is the name, the operator, the digits or the unescaped text.</summary>
internal readonly record struct Token(TokenKind Kind, string Text, int Line)
{
    public bool Is(string op) => Kind == TokenKind.Operator && Text == op;

    public bool IsName(string name) => Kind == TokenKind.Name && Text == name;

    /// <summary>As the reference calls it in messages.</summary>
    public string Describe() => Kind switch
    {
        TokenKind.PrintEnd => "end of print statement",
        TokenKind.TagEnd => "end of statement block",
        TokenKind.End => "end of template",
        TokenKind.Integer => "integer",
        TokenKind.Float => "float",
        TokenKind.Text => "string",
        _ => Text,
    };
}
