using Quilt.Hosting.Wire;
using Quilt.Runtime;

namespace Quilt.Hosting.OpenAi;

/// <summary>A request's times as they are told.</summary>
internal static class Times
{
    /// <summary>In seconds.</summary>
    public static RequestTimes Of(GenerationStats stats) => new(
        stats.QueueTime.TotalSeconds, stats.PromptTime.TotalSeconds, stats.TokenTime.TotalSeconds, stats.TotalTime.TotalSeconds);
}
