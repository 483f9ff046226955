using Mesh.Identity;
using Mesh.Server.Identity;
using Microsoft.AspNetCore.Authentication;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Lets <c>[Authorize]</c> and policies see whom the mesh has verified.</summary>
public static class MeshAuthenticationBuilderExtensions
{
    /// <summary>
    /// Adds the scheme <c>Mesh</c>: the user of a request is the workload that sent it, by its certificate (<see cref="MeshClaimTypes.SourcePrincipal"/> and so
    /// on), and whoever its token is for, with the token's own claims. As the only scheme it is the default one.
    /// </summary>
    /// <param name="builder">The authentication of the application: <c>services.AddAuthentication()</c>.</param>
    /// <returns>The same builder.</returns>
    public static AuthenticationBuilder AddMesh(this AuthenticationBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.AddScheme<AuthenticationSchemeOptions, MeshAuthenticationHandler>(MeshAuthenticationDefaults.AuthenticationScheme, "Service mesh", null);
    }
}
