namespace Mesh.Server.Admin;

/// <summary>Why somebody gets no answer.</summary>
/// <param name="Status">The status that is answered.</param>
/// <param name="Reason">For the log: nothing in it comes from the request.</param>
/// <param name="IsTold">Whether the caller is told as well; a stranger is not even told that there is an admin.</param>
internal sealed record AdminRefusal(int Status, string Reason, bool IsTold = true);
