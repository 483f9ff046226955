using System.Text.Encodings.Web;
using System.Text.Json;
using Mesh.ControlPlane.Security;
using Mesh.Xds.Certificates;
using Mesh.Xds.Redaction;
using Mesh.Xds.Serving;
using Mesh.Xds.Validation;

namespace Mesh.ControlPlane.Debug;

/// <summary>Shows the pages to those who may read the status. No page has to think of secrets: what leaves here has none.</summary>
internal sealed class ControlPlaneDebug(IEnumerable<IDebugPage> pages, RoleBindings roles, AuditLog audit) : IControlPlaneDebug
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = JavaScriptEncoder.Default };

    private readonly IDebugPage[] _pages = [.. pages.OrderBy(page => page.Name, StringComparer.Ordinal)];

    public IReadOnlyList<(string Name, string Summary)> Pages => [.. _pages.Select(page => (page.Name, page.Summary))];

    public bool MayRead(CallerCredentials caller, string what)
    {
        if (roles.Find(caller, MeshControlPlaneRole.StatusReader, out var reason) is not null)
        {
            return true;
        }

        audit.Refused(what, null, caller.Remote, reason);
        return false;
    }

    public AdminReply Read(CallerCredentials caller, string page, Func<string, string?> query)
    {
        // Who may not see a page is not told which there are.
        if (!MayRead(caller, $"the page {PrintableText.Of(page)}"))
        {
            return Problem(403, "you have not the role that this takes: StatusReader, by Mesh:ControlPlane:Authentication:Roles, or be on the control plane's machine");
        }

        if (Array.Find(_pages, p => p.Name == page) is not { } found)
        {
            return Problem(404, $"there is no page {page}; there are {string.Join(", ", _pages.Select(p => p.Name))}");
        }

        try
        {
            var content = found.Read(new DebugQuery(query));
            SecretRedaction.Apply(content);
            return new AdminReply(200, content.ToJsonString(Indented));
        }
        catch (DebugQueryException e)
        {
            return Problem(e.Status, e.Message);
        }
    }

    private static AdminReply Problem(int status, string problem)
        => new(status, JsonSerializer.Serialize(new { problems = new[] { PrintableText.Of(problem) } }, Indented));
}
