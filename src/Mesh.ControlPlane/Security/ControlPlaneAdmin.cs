using System.Buffers;
using System.Text;
using System.Text.Json;
using Mesh.ControlPlane.Config;
using Mesh.ControlPlane.Config.Sources;
using Mesh.Xds.Certificates;
using Mesh.Xds.Serving;

namespace Mesh.ControlPlane.Security;

/// <summary>Answers those who have a role; whoever has none is told that, and no more.</summary>
internal sealed class ControlPlaneAdmin(
    IAdsServer server, RoleBindings roles, CertificateAuthority? authority, Func<TrustDomains> trustDomains, MeshControlPlaneOptions options, TimeProvider time, AuditLog audit) : IControlPlaneAdmin
{
    public AdminReply Status(CallerCredentials caller)
        => Find(caller, MeshControlPlaneRole.StatusReader, "the status") is null ? Forbidden : new AdminReply(200, Describe());

    public AdminReply BeginRootRotation(CallerCredentials caller)
    {
        if (Find(caller, MeshControlPlaneRole.ConfigWriter, "the change to another root") is not { } who)
        {
            return Forbidden;
        }

        if (authority is null)
        {
            return Problem(409, "there is no certificate authority here");
        }

        try
        {
            authority.BeginRootRotation(who, caller.Remote);
            return new AdminReply(202);
        }
        catch (InvalidOperationException e)
        {
            return Problem(409, e.Message);
        }
    }

    public AdminReply PutConfig(CallerCredentials caller, string file, string yaml)
    {
        if (Find(caller, MeshControlPlaneRole.ConfigWriter, $"writing {file}") is not { } who)
        {
            return Forbidden;
        }

        if (PathOf(file) is not { } path)
        {
            return Problem(400, "name a file of the folder: letters, digits, dots, dashes and underscores, ending in .yaml");
        }

        var read = new ConfigReader(new ConfigReaderOptions { Lenient = options.Lenient }, time).Read(yaml, file);
        var errors = read.Diagnostics.Where(diagnostic => diagnostic.Severity == ConfigSeverity.Error).Select(diagnostic => diagnostic.ToString()).ToArray();
        if (errors.Length > 0 || !read.Resources.Any())
        {
            return Problem(422, errors.Length > 0 ? errors : ["the text holds no document"]);
        }

        // A hidden name until it is whole: the folder's watcher passes over those.
        var temporary = Path.Combine(Path.GetDirectoryName(path)!, $".{Guid.NewGuid():N}.tmp");
        try
        {
            File.WriteAllText(temporary, yaml);
            File.Move(temporary, path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            File.Delete(temporary);
            return Problem(500, $"the file cannot be written: {e.Message}");
        }

        audit.Done($"configuration file {file} written: {string.Join(", ", read.Resources.Select(resource => $"{resource.Kind.Kind} {resource.Namespace}/{resource.Name}").Take(32))}", who, caller.Remote);
        return new AdminReply(204);
    }

    public AdminReply DeleteConfig(CallerCredentials caller, string file)
    {
        if (Find(caller, MeshControlPlaneRole.ConfigWriter, $"deleting {file}") is not { } who)
        {
            return Forbidden;
        }

        if (PathOf(file) is not { } path || !File.Exists(path))
        {
            return Problem(404, "there is no such file");
        }

        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Problem(500, $"the file cannot be deleted: {e.Message}");
        }

        audit.Done($"configuration file {file} deleted", who, caller.Remote);
        return new AdminReply(204);
    }

    private static AdminReply Forbidden => Problem(403, "you have not the role that this takes");

    private static AdminReply Problem(int status, params string[] problems) => new(status, Write(json =>
    {
        json.WriteStartArray("problems");
        foreach (var problem in problems)
        {
            json.WriteStringValue(problem);
        }

        json.WriteEndArray();
    }));

    private static string Write(Action<Utf8JsonWriter> body)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            body(json);
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private string? Find(CallerCredentials caller, MeshControlPlaneRole role, string what)
    {
        var who = roles.Find(caller, role, out var reason);
        if (who is null)
        {
            audit.Refused(what, null, caller.Remote, reason);
        }

        return who;
    }

    /// <summary>A file in the folder itself, by a name that is only a name.</summary>
    private string? PathOf(string file)
        => options.ConfigFolder is { Length: > 0 } folder
            && file.Length is > 0 and <= 128
            && ConfigFiles.IsConfig(file)
            && file.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_')
                ? Path.Combine(folder, file)
                : null;

    private string Describe() => Write(json =>
    {
        json.WriteString("trustDomain", trustDomains().Name);
        json.WriteString("rotation", authority?.Rotation.ToString());
        json.WriteStartArray("connections");
        foreach (var connection in server.Connections)
        {
            json.WriteStartObject();
            json.WriteNumber("id", connection.Connection.Id);
            json.WriteString("node", connection.Node?.Id);
            json.WriteString("from", connection.Connection.IsInProcess ? "this process" : connection.Connection.RemoteEndPoint?.ToString());
            json.WriteBoolean("incremental", connection.IsDelta);
            json.WriteStartArray("types");
            foreach (var type in connection.Types)
            {
                json.WriteStartObject();
                json.WriteString("type", type.TypeUrl);
                json.WriteNumber("subscribed", type.Subscribed);
                json.WriteBoolean("wildcard", type.Wildcard);
                json.WriteString("sent", type.SentVersion);
                json.WriteString("acknowledged", type.AckedVersion);
                json.WriteString("refused", type.LastNack);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    });
}
