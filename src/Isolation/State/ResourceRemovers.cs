namespace Isolation;

/// <summary>The table of removers: one row a kind of thing that a record can name.</summary>
internal static class ResourceRemovers
{
    private static readonly IResourceRemover[] Table = [new ProcessRemover(), new GroupRemover(), new DirectoryRemover()];

    internal static IResourceRemover Of(RecordedResource resource) => Find(resource.Kind) ?? throw new InvalidOperationException($"Nothing is known of the kind '{resource.Kind}'.");

    /// <summary>What a line of a record has that cannot be dealt with, or null.</summary>
    internal static (RecordCondition Condition, string Problem)? ProblemOf(RecordedResource resource)
    {
        if (Find(resource.Kind) is not { } remover) return (RecordCondition.Newer, $"it names a '{resource.Kind}', and this library does not know what that is");
        return remover.IsValid(resource) ? null : (RecordCondition.Damaged, $"the parameters of a '{resource.Kind}' in it make no sense");
    }

    private static IResourceRemover? Find(string kind) => Array.Find(Table, remover => remover.Kind == kind);
}
