namespace Quilt.Quantizer.Yaml;

/// <summary>What a YAML node is after its plain scalars are resolved.</summary>
internal enum YamlKind
{
    /// <summary>Nothing: empty, <c>~</c> or <c>null</c>.</summary>
    Null,

    /// <summary>true, yes, on, or their opposites.</summary>
    Flag,

    /// <summary>A whole number of any size.</summary>
    Whole,

    /// <summary>A number with a point, an infinity, or not a number.</summary>
    Real,

    /// <summary>A date, perhaps with a time; kept as it is written.</summary>
    Date,

    /// <summary>A text.</summary>
    Text,

    /// <summary>A sequence.</summary>
    List,

    /// <summary>A mapping.</summary>
    Mapping,
}
