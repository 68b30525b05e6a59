namespace Quilt.Formats.Chat.Replies;

/// <summary>
/// The tags of a dialect that has one for each call and each of its parameters. Patterns are <see cref="MarkerMatcher"/>'s; behind that of a call or
/// a parameter follows its name, up to '&gt;'.
/// </summary>
/// <param name="Begin">Of a block.</param>
/// <param name="End">Of a block.</param>
/// <param name="Call">Of a call.</param>
/// <param name="NamelessCall">Of a call that lacks its name.</param>
/// <param name="BareCall">Of a call that has no block around it.</param>
/// <param name="EndCall">Of a call.</param>
/// <param name="Parameter">Of a parameter.</param>
/// <param name="EndParameter">Of a parameter.</param>
/// <param name="HasAttributes">Whether attributes may stand behind a name.</param>
internal sealed record CallTags(
    string Begin, string End, string Call, string NamelessCall, string BareCall, string EndCall, string Parameter, string EndParameter,
    bool HasAttributes = false);
