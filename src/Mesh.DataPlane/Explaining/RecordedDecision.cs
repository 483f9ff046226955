using Mesh.DataPlane.Hosts;
using Mesh.DataPlane.Upstream;

namespace Mesh.DataPlane.Explaining;

/// <summary>A decision as it was made: the request, the draw, and the state that it was made by, which stays as it is whatever comes later.</summary>
/// <param name="Number">Its place among all that were recorded since the process began.</param>
/// <param name="At">When.</param>
/// <param name="Host">The host that was asked for.</param>
/// <param name="Request">The request as its caller made it.</param>
/// <param name="Draw">Its random draw.</param>
/// <param name="Decision">What was decided, and by which state.</param>
internal sealed record RecordedDecision(long Number, DateTimeOffset At, HostEntry Host, RequestSnapshot Request, ulong Draw, Decision Decision);
