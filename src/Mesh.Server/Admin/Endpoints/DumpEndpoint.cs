using Mesh.DataPlane.Explaining;

namespace Mesh.Server.Admin.Endpoints;

/// <summary>All that the process believes, as compiled, in one answer for programs.</summary>
internal sealed class DumpEndpoint() : AdminEndpoint("/dump", "Compiled")
{
    public override bool IsPage => false;

    public override Task GetAsync(AdminRequest request) => request.WriteJsonAsync(EngineDump.Of(request.Engine, request.Ports, request.Time));
}
