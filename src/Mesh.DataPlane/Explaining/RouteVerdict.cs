namespace Mesh.DataPlane.Explaining;

/// <summary>What became of one route when a request was held to it.</summary>
/// <param name="Index">Its place.</param>
/// <param name="Name">Its name, which may be empty.</param>
/// <param name="Verdict"><c>chosen</c>, <c>missed</c>, or <c>not asked</c> because an earlier one was chosen.</param>
/// <param name="Reason">What it asks for that the request is not; or, for the chosen one, what it asks for.</param>
/// <param name="Action">What would become of the request.</param>
internal sealed record RouteVerdict(int Index, string Name, string Verdict, string Reason, string Action);
