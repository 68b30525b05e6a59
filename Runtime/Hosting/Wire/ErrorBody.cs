namespace Quilt.Hosting.Wire;

/// <summary>An error, as vLLM writes it.</summary>
internal sealed record ErrorBody(ErrorDetail Error);

/// <summary>What is wrong.</summary>
internal sealed record ErrorDetail(string Message, string Type, string? Param, int Code);
