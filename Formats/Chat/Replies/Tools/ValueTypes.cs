namespace Quilt.Formats.Chat.Replies;

/// <summary>What a value may be.</summary>
[Flags]
internal enum ValueTypes
{
    None = 0,
    Null = 1,
    Integer = 2,
    Number = 4,
    Boolean = 8,
    Object = 16,
    Array = 32,
    String = 64,

    /// <summary>A type that JSON schema does not know: tried as JSON.</summary>
    Unknown = 128,

    /// <summary>One of the texts that are allowed is None, which then is no null.</summary>
    NoneIsText = 256,

    /// <summary>What is taken for itself where there is no schema: lists and objects are not.</summary>
    Inferred = Null | Integer | Number | Boolean | String,
}
