namespace Quilt.Formats.Chat.Replies;

/// <summary>The markers that mean something at each place of a dialect with JSON calls.</summary>
/// <param name="AsText">Where calls are text.</param>
/// <param name="InText">In text and thinking.</param>
/// <param name="InBlock">In a block of calls, between these.</param>
/// <param name="InHead">In a call's own head, and before it.</param>
/// <param name="InCall">Elsewhere in a call; null where a marker begins as JSON does.</param>
internal sealed record JsonCallMatchers(
    MarkerMatcher AsText, MarkerMatcher InText, MarkerMatcher InBlock, MarkerMatcher InHead, MarkerMatcher? InCall);
