import { Bar, Skeleton } from '@/components/ui/skeleton'

/** The shape of Stripe's card fields while they load. */
export function CardFieldsSkeleton() {
  return (
    <Skeleton label="Loading the card fields">
      <Bar className="mb-2 h-3.5 w-24" />
      <Bar className="h-11" />
      <div className="mt-4 grid grid-cols-2 gap-4">
        <div>
          <Bar className="mb-2 h-3.5 w-20" />
          <Bar className="h-11" />
        </div>
        <div>
          <Bar className="mb-2 h-3.5 w-20" />
          <Bar className="h-11" />
        </div>
      </div>
    </Skeleton>
  )
}
