using System.Text.Json;
using System.Text.Json.Serialization;

namespace Quilt.Hosting.Wire;

/// <summary>The answer of /v1/models.</summary>
internal sealed record ModelList(IReadOnlyList<ModelCard> Data)
{
    [JsonPropertyOrder(-1)]
    public string Object => "list";
}

/// <summary>One of its models.</summary>
internal sealed record ModelCard(string Id, long Created, string Root, int? MaxModelLen)
{
    [JsonPropertyOrder(1)]
    public string Object => "model";

    [JsonPropertyOrder(1)]
    public string OwnedBy => "quilt";

    [JsonPropertyOrder(1)]
    public JsonElement? Parent => null;

    [JsonPropertyOrder(1)]
    public IReadOnlyList<ModelPermission> Permission { get; } = [new(Id, Created)];
}

/// <summary>What may be done with it, for clients that look.</summary>
internal sealed record ModelPermission(
    [property: JsonIgnore] string Model, long Created)
{
    public string Id => $"modelperm-{Model}";

    public string Object => "model_permission";

    public bool AllowCreateEngine => false;

    public bool AllowSampling => true;

    public bool AllowLogprobs => true;

    public bool AllowSearchIndices => false;

    public bool AllowView => true;

    public bool AllowFineTuning => false;

    public string Organization => "*";

    public string? Group => null;

    public bool IsBlocking => false;
}
