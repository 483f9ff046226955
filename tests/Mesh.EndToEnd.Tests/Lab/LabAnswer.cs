namespace Mesh.EndToEnd.Tests.Lab;

/// <summary>What came back for one request.</summary>
/// <param name="Status">The status.</param>
/// <param name="Body">The body.</param>
/// <param name="Version">The version of the pod that answered; empty when the mesh did.</param>
/// <param name="Flags">Envoy's response flags.</param>
/// <param name="Attempts">How often it was tried.</param>
/// <param name="Headers">The headers.</param>
internal sealed record LabAnswer(int Status, string Body, string Version, string Flags, int Attempts, IReadOnlyDictionary<string, string> Headers);
