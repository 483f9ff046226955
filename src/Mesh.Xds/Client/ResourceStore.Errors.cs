using Google.Rpc;
using Mesh.Xds.Grpc;
using Mesh.Xds.Validation;

namespace Mesh.Xds.Client;

/// <summary>What a response may say against a resource: it cannot be used, it is gone, or the server cannot tell.</summary>
internal sealed partial class ResourceStore
{
    private void Refuse(XdsChannel channel, ResourceTable table, AdsUpdateResource resource, string name, string shown, string field, string reason, NackDetail nack)
    {
        var entry = name.Length > 0 ? table.Find(name) : null;
        if (name.Length > 0 && !IsRequested(table, entry))
        {
            return;
        }

        nack.Add(shown, field, reason);
        if (name.Length == 0 || (entry is null && table.Entries.Count >= options.MaxResourcesPerType))
        {
            return;
        }

        entry ??= table.GetOrAdd(name);
        entry.StopResourceTimer();
        entry.Table.Unanswered.Remove(entry);
        entry.State = ResourceState.Nacked;
        var now = options.TimeProvider.GetUtcNow();
        entry.Rejected = new XdsRejection(resource.Version, PrintableText.Of($"{field}: {reason}"), now, resource.Body?.TypeUrl == table.Type.TypeUrl ? resource.Body.Value : null);
        if (channel.Has(XdsServerFeatures.FailOnDataErrors))
        {
            Drop(entry);
        }

        Fail(entry, new ResourceError(ResourceErrorKind.Invalid, $"{table.Type.ShortName} {name}: {field}: {reason}"));
    }

    private void Remove(XdsChannel channel, ResourceEntry entry, string why)
    {
        entry.StopResourceTimer();
        entry.Table.Unanswered.Remove(entry);
        entry.LastUpdated = options.TimeProvider.GetUtcNow();
        entry.Rejected = null;
        var error = new ResourceError(ResourceErrorKind.DoesNotExist, $"{entry.Table.Type.ShortName} {entry.Name} does not exist: {why}");
        if (entry.Resource is not null && channel.Has(XdsServerFeatures.IgnoreResourceDeletion) && !channel.Has(XdsServerFeatures.FailOnDataErrors))
        {
            Log.DeletionIgnored(options.Logger, entry.Table.Type.ShortName, entry.Name, channel.Server.Transport.Target);
            Fail(entry, error);
            return;
        }

        Drop(entry);
        entry.State = ResourceState.DoesNotExist;
        Fail(entry, error);
        if (entry.Watches.Count == 0)
        {
            entry.Table.Forget(entry);
        }
    }

    /// <summary>The server says for itself what is wrong with one resource (<c>resource_errors</c>, gRFC A88).</summary>
    private void ApplyServerError(XdsChannel channel, ResourceEntry entry, Status error)
    {
        entry.StopResourceTimer();
        entry.Table.Unanswered.Remove(entry);
        var isDataError = error.Code is (int)StatusCode.NotFound or (int)StatusCode.PermissionDenied;
        if (isDataError && channel.Has(XdsServerFeatures.FailOnDataErrors))
        {
            Drop(entry);
        }

        var kind = error.Code == (int)StatusCode.NotFound ? ResourceErrorKind.DoesNotExist : ResourceErrorKind.Unavailable;
        if (kind == ResourceErrorKind.Unavailable)
        {
            entry.State = ResourceState.ReceivedError;
        }
        else if (entry.Resource is null)
        {
            entry.State = ResourceState.DoesNotExist;
        }

        Fail(entry, new ResourceError(kind, $"{entry.Table.Type.ShortName} {entry.Name}: the server reports {(StatusCode)error.Code}: {error.Message}"));
    }
}
