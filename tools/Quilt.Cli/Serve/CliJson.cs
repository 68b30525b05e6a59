using System.Text.Json.Serialization;

namespace Quilt.Cli.Serve;

/// <summary>JSON that options hold.</summary>
[JsonSerializable(typeof(string[]))]
internal sealed partial class CliJson : JsonSerializerContext;
